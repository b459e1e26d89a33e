//! The client against servers that answer as real ones did, or as none should.

mod breaker;
mod fake;
mod faults;
mod requests;
mod secrets;
mod shapes;
mod sockets;
mod tls;
