// SPDX-License-Identifier: Apache-2.0
#include "bastion/stored/retention.h"

#include "shared/base/log.h"
#include "shared/base/unix_ms.h"

#include <algorithm>
#include <utility>

namespace sallyport::stored {

namespace {

constexpr std::chrono::minutes kFirstLook{5};
constexpr std::chrono::hours kInterval{1};
constexpr std::chrono::hours kAfterClockStep{24};
constexpr std::chrono::hours kMaxClockStep{1};
constexpr std::chrono::hours kMaxAway{24};

KeptRecording kept_recording(const RecordingEntry& row, const RecordingName& name) {
  KeptRecording kept;
  kept.name = name;
  // Without facts nobody knows which rule is for it: it stays.
  const bool is_known = !row.target.empty() || row.state == RecordingState::erased;
  const bool is_over = row.state != RecordingState::running && is_known;
  kept.over_ms = is_over ? std::max(row.end_ms, row.start_ms) : 0;
  kept.bytes = row.bytes;
  kept.target = row.target;
  kept.roles = row.roles;
  kept.held = row.hold;
  return kept;
}

// There is a file, or should be one.
bool takes_room(const RecordingEntry& row) {
  return row.state == RecordingState::running || row.state == RecordingState::ended ||
         row.state == RecordingState::cut_off ||
         (row.state == RecordingState::erased && row.bytes > 0);
}

std::vector<ErasureOrder> orders_of(const std::string& node,
                                    const std::vector<DueRecordings>& due) {
  std::vector<ErasureOrder> orders;
  for (const auto& [rule, recordings] : due) {
    for (size_t at = 0; at < recordings.size(); at += kMaxErased) {
      ErasureOrder order;
      order.node = node;
      order.made_ms = unix_ms();
      order.what = ErasureOrder::What::file;
      order.reason = rule;
      const auto begin = recordings.begin() + static_cast<std::ptrdiff_t>(at);
      const size_t count = std::min(kMaxErased, recordings.size() - at);
      order.recordings.assign(begin, begin + static_cast<std::ptrdiff_t>(count));
      orders.push_back(std::move(order));
    }
  }
  return orders;
}

}  // namespace

Retention::Retention(EventLoop& loop, IndexWorker& index, Eraser& eraser, std::string node,
                     RetentionRules rules, uint64_t last_run_ms)
    : loop_(loop),
      index_(index),
      eraser_(eraser),
      node_(std::move(node)),
      rules_(std::move(rules)),
      wall_ms_(unix_ms()),
      steady_(std::chrono::steady_clock::now()),
      not_before_(steady_) {
  const std::chrono::milliseconds away(static_cast<int64_t>(wall_ms_) -
                                       static_cast<int64_t>(last_run_ms));
  if (last_run_ms != 0 && (away > kMaxAway || away < -kMaxClockStep)) {
    not_before_ = steady_ + kAfterClockStep;
    log_warning(
        "the clock is far from where it was: no recording is deleted by age or size for a day", {});
  }
  loop_.call_after(kFirstLook, [this] { every_hour(); });
}

void Retention::every_hour() {
  loop_.call_after(kInterval, [this] { every_hour(); });
  find([this](const Result<std::vector<DueRecordings>>& due) {
    if (!due) {
      return log_warning("what is to be deleted is not known", {{"why", due.error().message}});
    }
    erase(*due, [](const Status& done) {
      if (!done) {
        log_error("recordings could not be deleted", {{"why", done.error().message}});
      }
    });
  });
}

// A clock that is wrong for a while must not cost years of recordings.
void Retention::look_at_clock() {
  const uint64_t wall_ms = unix_ms();
  const auto steady = std::chrono::steady_clock::now();
  const auto by_wall =
      std::chrono::milliseconds(static_cast<int64_t>(wall_ms) - static_cast<int64_t>(wall_ms_));
  const auto step = by_wall - (steady - steady_);
  wall_ms_ = wall_ms;
  steady_ = steady;
  if (step > kMaxClockStep || step < -kMaxClockStep) {
    not_before_ = steady + kAfterClockStep;
  }
}

void Retention::find(Found found) {
  read_page(std::make_shared<Search>(Search{{}, std::move(found)}), {});
}

void Retention::read_page(std::shared_ptr<Search> search, RecordingsFind page) {
  const Status asked = index_.find(page, [this, search, page](const auto& rows) mutable {
    if (!rows) {
      return search->found(rows.error());
    }
    for (const RecordingEntry& row : *rows) {
      const auto name = parse_recording_id(row.recording);
      if (name && takes_room(row)) {
        search->kept.push_back(kept_recording(row, *name));
      }
    }
    if (rows->empty()) {
      return search->found(due_recordings(search->kept, rules_, unix_ms()));
    }
    page.before = rows->back().recording;
    page.before_ms = rows->back().start_ms;
    read_page(search, page);
  });
  if (!asked) {
    search->found(asked.error());
  }
}

// One after the other: each waits until it is signed.
void Retention::erase(std::vector<DueRecordings> due, Done done) {
  look_at_clock();
  if (due.empty()) {
    return done(ok());
  }
  if (std::chrono::steady_clock::now() < not_before_) {
    return done(Error{Errc::denied,
                      "the clock was set, or stored did not run for more than a day: by age and "
                      "size nothing is deleted for a day"});
  }
  if (std::exchange(runs_, true)) {
    return done(Error{Errc::denied, "recordings are being deleted at this moment"});
  }
  auto run = std::make_shared<Run>();
  run->orders = orders_of(node_, due);
  std::reverse(run->orders.begin(), run->orders.end());
  run->done = std::move(done);
  erase_next(run);
}

// What fails does not keep the others.
void Retention::erase_next(const std::shared_ptr<Run>& run) {
  if (run->orders.empty()) {
    runs_ = false;
    return run->done(run->failed);
  }
  ErasureOrder order = std::move(run->orders.back());
  run->orders.pop_back();
  eraser_.carry_out_own(std::move(order), [this, run](const Status& erased) {
    run->failed = run->failed ? erased : run->failed;
    erase_next(run);
  });
}

}  // namespace sallyport::stored
