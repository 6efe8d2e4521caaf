// SPDX-License-Identifier: Apache-2.0
//
// SGR, rewritten for libvterm: it holds 16 parameters, reads `38:2::r:g:b` wrongly, takes the
// numbers of `58;2;…` (underline colour) for attributes and knows no faint. So colours come out in
// one form, what it does not know is left out, a long list becomes several sequences, and faint
// travels as font 1 (kFaintFont), which nothing else uses. Concealed text stays visible: an auditor
// wants to see it.
#pragma once

#include "shared/terminal/scanner.h"

#include <functional>
#include <span>
#include <string_view>

namespace sallyport {

inline constexpr int kFaintFont = 1;

void rewrite_sgr(std::span<const CsiParameter> parameters,
                 const std::function<void(std::string_view)>& emit);

}  // namespace sallyport
