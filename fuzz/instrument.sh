#!/bin/sh
# In the place of rustc for the crates of the workspace, when `cargo xtask fuzz` builds: the compiler's own pass counts
# what an input reaches and shows what it is compared with. What others wrote isn't counted, but for what is generic.
exec "$@" \
    -Cpasses=sancov-module \
    -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters \
    -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares \
    -Cllvm-args=-simplifycfg-branch-fold-threshold=0
