//! Lambda binaries (part 4).
