// SPDX-License-Identifier: Apache-2.0
#pragma once

// The one place that knows Catch2 2 (Debian 12) from 3 (Debian 13).
#if __has_include(<catch2/catch_all.hpp>)
#include <catch2/catch_all.hpp>
#else
#include <catch2/catch.hpp>
#endif
