#pragma once

// Before a function whose loop is to be vectorized: it is compiled for processors with AVX-512, with AVX2, and for any,
// and the one that fits is chosen when the program starts. Sources that use it are compiled without contraction
// (-ffp-contract=off), so that all of them give the same numbers.
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
#define BITPLAN_VECTOR_CLONES __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define BITPLAN_VECTOR_CLONES
#endif
