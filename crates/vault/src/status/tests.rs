//! What is told of a view.
