//! End to end: the real binary, real databases, real kills. And the rules of the house.

mod cli;
mod cluster;
mod faults;
mod grid;
mod house;
mod quickstart;
mod replicas;
mod service;
