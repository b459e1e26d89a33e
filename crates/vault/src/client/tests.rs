//! Against small servers that do what real ones do on bad days.
