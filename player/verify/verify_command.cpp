// SPDX-License-Identifier: Apache-2.0
#include "player/commands.h"
#include "player/event_source.h"
#include "player/locate.h"
#include "player/verify/evidence_file.h"
#include "player/verify/facts_check.h"
#include "player/verify/folder_check.h"
#include "player/verify/log_check.h"
#include "player/verify/log_place.h"
#include "player/verify/report.h"
#include "shared/base/printable.h"

#include <filesystem>

namespace sallyport {

namespace {

namespace fs = std::filesystem;

bool has_checkpoint(const std::string& folder) {
  std::error_code ignored;
  return fs::exists(folder + "/checkpoint", ignored);
}

class Verification {
public:
  explicit Verification(const VerifyRequest& request) : request_(request) {}

  Result<Proof> run() {
    if (Status prepared = prepare(); !prepared) {
      return prepared.error();
    }
    const auto done = request_.log_only ? check_only_log()
                      : request_.all    ? check_all()
                                        : check_one();
    return done ? Result(verdict_ == Level::wrong  ? Proof::wrong
                         : verdict_ == Level::open ? Proof::partial
                                                   : Proof::whole)
                : done.error();
  }

private:
  Status prepare() {
    if (!request_.settings.identities.empty() && !request_.log_only) {
      auto identities = read_identities(request_.settings.identities);
      if (!identities) {
        return identities.error();
      }
      identities_ = std::move(*identities);
    }
    if (!request_.settings.log_key.empty()) {
      const auto key = read_log_key(request_.settings.log_key);
      if (!key) {
        return key.error();
      }
      log_.key = *key;
    }
    auto kept = read_kept_checkpoints(request_.checkpoints);
    if (!kept) {
      return kept.error();
    }
    log_.kept = std::move(*kept);
    report_ = request_.json       ? json_report()
              : request_.log_only ? words_of_log()
              : request_.all      ? words_of_many()
                                  : words_of_one();
    return ok();
  }

  // Where nobody named a log, has its key or a checkpoint of it, there need be none.
  void read_the_log(const std::string& folder) {
    const bool named = request_.log_only || !request_.settings.log.empty();
    log_.folder = folder;
    if (named || log_.key || !log_.kept.empty() || has_checkpoint(log_.folder)) {
      checked_ = check_log(log_);
    } else if (request_.all) {
      log_.folder.clear();
      checked_.findings.add(Level::open,
                            "That no recording is missing: there is no log (--log DIR)");
    }
    verdict_ = checked_.findings.verdict();
    report_->begin(log_.folder, checked_.findings);
  }

  const LogContents* contents() const { return checked_.contents ? &*checked_.contents : nullptr; }

  void take(FileVerdict verdict) {
    if (contents() != nullptr) {
      check_facts(log_.folder, verdict.id, *contents(), verdict.findings);
    }
    verdict_ = worse(verdict_, verdict.findings.verdict());
    report_->take(verdict);
  }

  Status check_one() {
    const auto path = locate_recording(request_.name, request_.settings.recordings);
    if (!path) {
      return path.error().code == Errc::not_found ? check_missing(path.error())
                                                  : Status(path.error());
    }
    if (is_evidence_file(*path)) {
      return check_evidence(*path);
    }
    const auto name = parse_recording_file_name(fs::path(*path).filename().string());
    if (!name && !is_brec_file(*path)) {
      return Error{Errc::invalid, printable(*path) +
                                      " is neither a recording of Sallyport (.brec) nor an "
                                      "evidence file; nothing else, an exported asciicast file "
                                      "included, carries what could be verified"};
    }
    const auto own = name_in_header(*path);
    log_.wants_heads = [own](const RecordingName& wanted) { return wanted == own; };
    read_the_log(log_folder_for(*path, request_.settings));
    take(check_file(*path, open_path(*path), name, contents(), identities_));
    take_missing_channels();
    report_->end(verdict_);
    return ok();
  }

  // A session was named, and one file found: the log may know of others.
  void take_missing_channels() {
    std::error_code ignored;
    if (contents() == nullptr || fs::exists(request_.name, ignored)) {
      return;
    }
    for (const auto& [name, logged] : contents()->recordings) {
      const std::string path = request_.settings.recordings + "/" + recording_file_name(name);
      if (is_named(name, request_.name) && !fs::exists(path, ignored)) {
        take(verdict_of_missing(name, *contents()));
      }
    }
  }

  // What was exported: the log is what is in it.
  Status check_evidence(const std::string& path) {
    auto source = open_path(path)();
    auto opened = source ? open_evidence(**source) : Result<OpenedEvidence>(source.error());
    if (!opened) {
      return Error{opened.error().code, printable(path) + ": " + opened.error().message};
    }
    check_signature(opened->log.note, log_.key, opened->findings);
    compare_evidence(*opened);
    verdict_ = opened->findings.verdict();
    report_->begin(path, opened->findings);
    const TarMember& file = opened->file;
    const OpenSource open = [&]() -> Result<std::unique_ptr<ByteSource>> {
      auto whole = open_path(path)();
      if (!whole) {
        return whole.error();
      }
      return std::unique_ptr<ByteSource>(
          std::make_unique<SubSource>(std::move(*whole), file.offset, file.size));
    };
    const FileVerdict verdict =
        check_file(file.name, open, opened->recording, &opened->log, identities_);
    verdict_ = worse(verdict_, verdict.findings.verdict());
    report_->take(verdict);
    report_->end(verdict_);
    return ok();
  }

  void compare_evidence(OpenedEvidence& opened) {
    if (!request_.settings.log.empty()) {
      log_.folder = request_.settings.log;
      log_.kept.push_back({"the checkpoint in this file", opened.log.note});
      const CheckedLog whole = check_log(log_);
      opened.findings.add(whole.findings);
      if (whole.contents) {
        compare_with_log(*whole.contents, log_.folder, opened);
      }
      return;
    }
    for (const KeptCheckpoint& kept : log_.kept) {
      compare_same_size(kept, opened.log, log_.key, opened.findings);
    }
    opened.findings.add(
        Level::note,
        "This file alone cannot show that the log has no other start or end of the recording, "
        "logged afterwards by who had the bastion: the whole log can (--log DIR), best with a "
        "checkpoint that somebody kept since the session (--checkpoint FILE)");
  }

  // There is no such file: the log may know that there was one.
  Status check_missing(const Error& error) {
    read_the_log(log_folder_beside(request_.settings.recordings, request_.settings));
    bool known = false;
    if (contents() != nullptr) {
      for (const auto& [name, logged] : contents()->recordings) {
        if (is_named(name, request_.name)) {
          known = true;
          take(verdict_of_missing(name, *contents()));
        }
      }
    }
    report_->end(verdict_);
    return known ? ok() : Status(error);
  }

  Status check_all() {
    const std::string& folder = request_.settings.recordings;
    const auto listing = list_folder(folder);
    if (!listing) {
      return listing.error();
    }
    log_.wants_heads = [&](const RecordingName& name) {
      return listing->recordings.contains(name);
    };
    log_.every_heads_file = true;
    read_the_log(log_folder_beside(folder, request_.settings));
    check_folder(folder, *listing, contents(), identities_,
                 [this](const FileVerdict& verdict) { take(verdict); });
    report_->end(verdict_);
    return ok();
  }

  Status check_only_log() {
    log_.alone = true;
    log_.every_heads_file = true;
    read_the_log(log_folder_beside(request_.settings.recordings, request_.settings));
    report_->end(verdict_);
    return ok();
  }

  const VerifyRequest& request_;
  std::vector<AgeIdentity> identities_;
  LogRequest log_;
  CheckedLog checked_;
  std::unique_ptr<Report> report_;
  Level verdict_ = Level::proven;
};

}  // namespace

Result<Proof> verify(const VerifyRequest& request) {
  return Verification(request).run();
}

}  // namespace sallyport
