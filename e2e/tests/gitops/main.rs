//! What is read from a checkout, compared with the programs whose work it is.

mod corpus;
mod helm;
mod kustomize;
mod on_disk;
