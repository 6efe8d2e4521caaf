// SPDX-License-Identifier: Apache-2.0
#include "bastion/stored/eraser.h"

#include "bastion/stored/erase_files.h"
#include "bastion/stored/order_check.h"
#include "shared/base/hex.h"
#include "shared/base/log.h"
#include "shared/base/unix_ms.h"
#include "shared/base/whole_file.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <utility>

namespace sallyport::stored {

namespace {

constexpr std::chrono::milliseconds kLookAgain{100};

}  // namespace

void Eraser::carry_out(const std::string& order, Done done) {
  auto checked = check_order(order, node_, config_);
  checked ? begin({std::move(*checked), order, false, std::move(done)}) : done(checked.error());
}

void Eraser::carry_out_own(ErasureOrder order, Done done) {
  begin({std::move(order), "", true, std::move(done)});
}

// What the log has of them is read beside the loop.
void Eraser::begin(Erasure erasure) {
  const bool taken =
      workers_.submit([this, erasure, folder = stores_.log.folder(), size = stores_.log.size()] {
        Logged logged;
        auto all = logged_recordings(folder, size);
        if (all) {
          logged.all = std::move(*all);
          OrdersOfLog orders(folder);
          for (const RecordingName& name : erasure.order.recordings) {
            const auto erased = logged.all.erased.find(name);
            if (erased != logged.all.erased.end() &&
                orders.what(erased->second) == ErasureOrder::What::file) {
              logged.deleted.insert(name);
            }
          }
        }
        const Status read = all ? ok() : Status(all.error());
        return [this, erasure, logged, read] {
          read ? check_and_log(erasure, logged) : erasure.done(read);
        };
      });
  if (!taken) {
    erasure.done(Error{Errc::limit, "stored has too much to do; try again"});
  }
}

Status Eraser::why_not(const RecordingName& name, ErasureOrder::What what,
                       const Logged& logged) const {
  const auto known = logged.all.ended.find(name);
  const auto no = [&](const std::string& why) {
    return Status(Error{Errc::denied, recording_id(name) + " " + why});
  };
  if (known == logged.all.ended.end()) {
    return no("is not in the log");
  }
  if (!known->second) {
    return no("still runs; end it with: sallyportctl sessions kill " + name.session.hex());
  }
  const bool is_done = what == ErasureOrder::What::key ? logged.all.erased.contains(name)
                                                       : logged.deleted.contains(name);
  if (is_done || going_.contains(name)) {
    return no(is_done ? "was erased already" : "is being erased at this moment");
  }
  if (what == ErasureOrder::What::key && stores_.folder.bytes_of(name) == 0) {
    return no("has no file any more");
  }
  return stores_.holds.is_held(name)
             ? no("is under legal hold; release it with: sallyportctl recordings release " +
                  recording_id(name))
             : ok();
}

void Eraser::check_and_log(Erasure erasure, const Logged& logged) {
  std::vector<RecordingName> can_go;
  for (const RecordingName& name : erasure.order.recordings) {
    const Status possible = why_not(name, erasure.order.what, logged);
    if (!possible && !erasure.is_own) {
      return erasure.done(possible);
    }
    if (possible) {
      can_go.push_back(name);
    }
  }
  if (can_go.empty()) {
    return erasure.done(ok());
  }
  if (erasure.is_own) {
    erasure.order.recordings = std::move(can_go);
    const auto text = erasure_order_text(erasure.order);
    if (!text) {
      return erasure.done(text.error());
    }
    erasure.bytes = *text;
  }
  if (const Status entered = enter(erasure); !entered) {
    return erasure.done(entered);
  }
  going_.insert(erasure.order.recordings.begin(), erasure.order.recordings.end());
  auto shared = std::make_shared<const Erasure>(std::move(erasure));
  when_signed(stores_.log.size(), [this, shared] { erase(shared); });
}

// What is in the log is erased, and what is not there is nobody's: neither can be held.
void Eraser::hold(const RecordingName& name, const std::string& reason, Done done) {
  const bool taken = workers_.submit([this, name, reason, done, folder = stores_.log.folder(),
                                      size = stores_.log.size()] {
    const auto logged = logged_recordings(folder, size);
    return [this, name, reason, done, logged] {
      if (!logged) {
        return done(logged.error());
      }
      const bool is_known = logged->ended.contains(name);
      if (!is_known || logged->erased.contains(name) || going_.contains(name)) {
        return done(Error{Errc::denied, recording_id(name) + (is_known ? " is erased already"
                                                                       : " is not in the log")});
      }
      done(stores_.holds.hold(name, reason));
    };
  });
  if (!taken) {
    done(Error{Errc::limit, "stored has too much to do; try again"});
  }
}

Status Eraser::enter(const Erasure& erasure) {
  const Sha256Digest hash = sha256(as_bytes(erasure.bytes));
  const std::string folder = stores_.log.folder() + "/orders";
  ::mkdir(folder.c_str(), 0750);
  if (Status kept = replace_file(folder + "/" + to_hex(hash), erasure.bytes); !kept) {
    return kept;
  }
  std::vector<LogEntry> entries;
  for (const RecordingName& name : erasure.order.recordings) {
    LogEntry entry;
    entry.kind = LogEntry::Kind::erase;
    entry.time_ms = unix_ms();
    entry.recording = name;
    entry.hash = hash;
    entries.push_back(entry);
  }
  if (Status appended = stores_.log.append(entries); !appended) {
    ::unlink((folder + "/" + to_hex(hash)).c_str());
    return appended;
  }
  log_info("recordings are erased", {{"order", to_hex(hash)},
                                     {"recordings", std::to_string(entries.size())},
                                     {"reason", erasure.order.reason}});
  return ok();
}

void Eraser::when_signed(uint64_t size, const std::function<void()>& then) {
  if (stores_.log.signed_size() >= size) {
    return then();
  }
  loop_.call_after(kLookAgain, [this, size, then] { when_signed(size, then); });
}

void Eraser::erase(const std::shared_ptr<const Erasure>& erasure) {
  // These two live longer than the workers.
  const bool taken = workers_.submit([this, erasure, &folder = stores_.folder,
                                      &facts = stores_.facts] {
    Status all = ok();
    for (const RecordingName& name : erasure->order.recordings) {
      if (const Status one = erase_files(folder, facts, name, erasure->order.what); !one && all) {
        all = Error{one.error().code,
                    recording_id(name) +
                        " could not be erased, which is tried again within the hour: " +
                        one.error().message};
      }
    }
    return [this, erasure, all] {
      tell_index(erasure->order.recordings);
      for (const RecordingName& name : erasure->order.recordings) {
        going_.erase(name);
        if (erasure->order.what == ErasureOrder::What::file) {
          deleted_.insert(name);
        }
      }
      erasure->done(all);
    };
  });
  if (!taken) {
    loop_.call_after(kLookAgain, [this, erasure] { erase(erasure); });
  }
}

void Eraser::finish_all() {
  if (std::exchange(is_finishing_, true)) {
    return;
  }
  const uint64_t size = stores_.log.size();
  when_signed(size, [this, size] {
    const bool taken = workers_.submit(
        [this, size, &folder = stores_.folder, &facts = stores_.facts, log = stores_.log.folder()] {
          const auto logged = logged_recordings(log, size);
          const auto finished =
              logged ? finish_erasures(folder, facts, log, *logged) : std::vector<RecordingName>{};
          return [this, finished] {
            is_finishing_ = false;
            tell_index(finished);
          };
        });
    if (!taken) {
      is_finishing_ = false;
      log_warning("erasures that were interrupted wait for the next look", {});
    }
  });
}

void Eraser::tell_index(const std::vector<RecordingName>& erased) {
  for (const RecordingName& name : erased) {
    stores_.index.put(IndexErasure{recording_id(name), stores_.folder.bytes_of(name)});
  }
}

}  // namespace sallyport::stored
