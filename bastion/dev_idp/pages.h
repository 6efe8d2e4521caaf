// SPDX-License-Identifier: Apache-2.0
//
// The pages of /device: plain HTML without script or style sheet, so that a text browser shows
// them. Text from outside is escaped here and nowhere else.
#pragma once

#include <string>
#include <string_view>

namespace sallyport {

// printable(), then the five characters that mean something in HTML.
std::string html_text(std::string_view text);

std::string code_page(std::string_view csrf, std::string_view user_code,
                      std::string_view complaint);
// Who signs in, and yes or no.
std::string decision_page(std::string_view csrf, std::string_view user_code, bool with_password,
                          std::string_view complaint);
std::string result_page(std::string_view heading, std::string_view text);

}  // namespace sallyport
