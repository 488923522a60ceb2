//! The migrations are compiled in, and the compiler does not see new files by itself.

fn main() {
    println!("cargo::rerun-if-changed=../../migrations");
}
