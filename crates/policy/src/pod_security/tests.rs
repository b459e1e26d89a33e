//! Namespaces on their way to a level.
