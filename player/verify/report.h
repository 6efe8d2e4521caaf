// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "player/verify/file_check.h"
#include "player/verify/findings.h"

#include <memory>
#include <string>

namespace sallyport {

// Where a verification is said: in words, or as one JSON object. `log` are the findings about the
// log as a whole.
class Report {
public:
  virtual ~Report() = default;
  virtual void begin(const std::string& log_folder, const Findings& log) = 0;
  virtual void take(const FileVerdict& verdict) = 0;
  virtual void end(Level verdict) = 0;
};

std::unique_ptr<Report> words_of_one();   // what is proven, what is not, what is wrong
std::unique_ptr<Report> words_of_many();  // a line for each recording, and its problems below
std::unique_ptr<Report> words_of_log();   // no recording
std::unique_ptr<Report> json_report();

const char* verdict_name(Level verdict);  // "proven", "open", "wrong"

}  // namespace sallyport
