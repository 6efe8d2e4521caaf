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

KeptRecording kept_recording(const RecordingEntry& row, const RecordingName& name) {
  KeptRecording kept;
  kept.name = name;
  kept.over_ms = row.state == RecordingState::running ? 0 : std::max(row.end_ms, row.start_ms);
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
                     RetentionRules rules)
    : loop_(loop),
      index_(index),
      eraser_(eraser),
      node_(std::move(node)),
      rules_(std::move(rules)),
      wall_ms_(unix_ms()),
      steady_(std::chrono::steady_clock::now()) {
  loop_.call_after(kFirstLook, [this] { every_hour(); });
}

void Retention::every_hour() {
  if (clock_was_set()) {
    log_error("the clock was set: no recording is deleted by age or size for a day", {});
    loop_.call_after(kAfterClockStep, [this] { every_hour(); });
    return;
  }
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

// A clock that was wrong for a moment must not cost years of recordings.
bool Retention::clock_was_set() {
  const uint64_t wall_ms = unix_ms();
  const auto steady = std::chrono::steady_clock::now();
  const auto by_wall =
      std::chrono::milliseconds(static_cast<int64_t>(wall_ms) - static_cast<int64_t>(wall_ms_));
  const auto step = by_wall - (steady - steady_);
  wall_ms_ = wall_ms;
  steady_ = steady;
  return step > kMaxClockStep || step < -kMaxClockStep;
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
  auto orders = std::make_shared<std::vector<ErasureOrder>>(orders_of(node_, due));
  std::reverse(orders->begin(), orders->end());
  erase_next(orders, done);
}

void Retention::erase_next(const std::shared_ptr<std::vector<ErasureOrder>>& orders,
                           const Done& done) {
  if (orders->empty()) {
    return done(ok());
  }
  ErasureOrder order = std::move(orders->back());
  orders->pop_back();
  eraser_.carry_out_own(std::move(order), [this, orders, done](const Status& erased) {
    erased ? erase_next(orders, done) : done(erased);
  });
}

}  // namespace sallyport::stored
