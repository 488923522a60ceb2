//! The UI is compiled in, and the compiler does not see new files, or the first ones, by itself.

fn main() {
    println!("cargo::rerun-if-changed=../frontend/dist");
}
