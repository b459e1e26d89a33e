//! What is read from a checkout, compared with the programs whose work it is.

mod corpus;
mod kustomize;
mod on_disk;
