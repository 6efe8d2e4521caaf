// SPDX-License-Identifier: Apache-2.0
//
// {"log": {"folder", "verdict", "findings": [{"level", "text"}]},
//  "recordings": [{"id", "file", "state", "verdict", "frames", "bytes", "head", "findings"}],
//  "verdict"}
#include "player/verify/report.h"
#include "shared/base/hex.h"

#include <cstdio>
#include <nlohmann/json.hpp>

namespace sallyport {

namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kLevels[] = {"proven", "note", "open", "wrong"};

Json findings_json(const Findings& findings) {
  Json list = Json::array();
  for (const Finding& finding : findings.all()) {
    list.push_back(
        {{"level", kLevels[static_cast<size_t>(finding.level)]}, {"text", finding.text}});
  }
  return list;
}

class JsonReport final : public Report {
public:
  void begin(const std::string& folder, const Findings& log) override {
    json_["log"] = {{"folder", folder},
                    {"verdict", verdict_name(log.verdict())},
                    {"findings", findings_json(log)}};
    json_["recordings"] = Json::array();
  }

  void take(const FileVerdict& verdict) override {
    Json one = {{"id", verdict.id},
                {"file", verdict.file},
                {"state", verdict.state},
                {"verdict", verdict_name(verdict.findings.verdict())}};
    if (verdict.report) {
      one["frames"] = verdict.report->frames;
      one["bytes"] = verdict.report->bytes;
      one["head"] = to_hex(verdict.report->head);
    }
    one["findings"] = findings_json(verdict.findings);
    json_["recordings"].push_back(std::move(one));
  }

  void end(Level verdict) override {
    json_["verdict"] = verdict_name(verdict);
    const auto replace = Json::error_handler_t::replace;
    std::printf("%s\n", json_.dump(2, ' ', false, replace).c_str());
  }

private:
  Json json_;
};

}  // namespace

std::unique_ptr<Report> json_report() {
  return std::make_unique<JsonReport>();
}

}  // namespace sallyport
