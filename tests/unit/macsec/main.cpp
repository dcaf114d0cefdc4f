// Catch2 version 2 makes main() here; version 3 brings its own.
#if !__has_include(<catch2/catch_all.hpp>)
#define CATCH_CONFIG_MAIN
#endif
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"  // in std::regex of Catch2 itself, with sanitizers
#endif
#include "tests/unit/catch.h"
