#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| git_lane_fuzz::targets::intersection::run(input));
