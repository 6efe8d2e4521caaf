// SPDX-License-Identifier: Apache-2.0
#include "bastion/stored/eraser.h"

#include "bastion/stored/erase_files.h"
#include "shared/base/hex.h"
#include "shared/base/log.h"
#include "shared/base/unix_ms.h"
#include "shared/base/whole_file.h"
#include "shared/config/host_key.h"

#include <sys/stat.h>

#include <algorithm>
#include <chrono>

namespace sallyport::stored {

namespace {

constexpr std::chrono::milliseconds kLookAgain{100};

// Who may sign, as key blobs.
std::vector<std::vector<uint8_t>> blobs_of(const std::vector<std::string>& keys) {
  std::vector<std::vector<uint8_t>> blobs;
  for (const std::string& key : keys) {
    const auto line = parse_public_key_line(key);
    const auto blob = line ? from_base64(line->base64) : std::nullopt;
    if (blob) {
      blobs.push_back(*blob);
    }
  }
  std::sort(blobs.begin(), blobs.end());
  blobs.erase(std::unique(blobs.begin(), blobs.end()), blobs.end());
  return blobs;
}

}  // namespace

Result<ErasureOrder> Eraser::check_order(const std::string& bytes) const {
  const auto order = parse_erasure_order(bytes);
  if (!order) {
    return order.error();
  }
  if (order->order.node != node_) {
    return Error{Errc::invalid,
                 "the order is for node " + order->order.node + ", and this is " + node_};
  }
  if (config_.approvers.empty()) {
    return order->order;
  }
  const auto approvers = blobs_of(config_.approvers);
  const auto count = std::count_if(
      order->signers.begin(), order->signers.end(),
      [&](const auto& by) { return std::binary_search(approvers.begin(), approvers.end(), by); });
  if (static_cast<uint64_t>(count) < config_.approvals) {
    return Error{Errc::denied,
                 "the order has " + std::to_string(count) + " of " +
                     std::to_string(config_.approvals) +
                     " signatures of recording.erasure.approvers; they sign it with: ssh-keygen -Y "
                     "sign -n " +
                     std::string(kErasureNamespace) + " -f KEY ORDER"};
  }
  return order->order;
}

void Eraser::carry_out(const std::string& order, Done done) {
  auto checked = check_order(order);
  checked ? begin({std::move(*checked), order, false, std::move(done)}) : done(checked.error());
}

void Eraser::carry_out_own(ErasureOrder order, Done done) {
  begin({std::move(order), "", true, std::move(done)});
}

// What the log has of them is read beside the loop.
void Eraser::begin(Erasure erasure) {
  const bool taken =
      workers_.submit([this, erasure, folder = stores_.log.folder(), size = stores_.log.size()] {
        const auto logged = logged_recordings(folder, size);
        return [this, erasure, logged] {
          logged ? check_and_log(erasure, *logged) : erasure.done(logged.error());
        };
      });
  if (!taken) {
    erasure.done(Error{Errc::limit, "stored has too much to do; try again"});
  }
}

Status Eraser::why_not(const RecordingName& name, const ErasureOrder& order,
                       const LoggedRecordings& logged) const {
  const auto known = logged.ended.find(name);
  const auto no = [&](const std::string& why) {
    return Status(Error{Errc::denied, recording_id(name) + " " + why});
  };
  if (known == logged.ended.end()) {
    return no("is not in the log");
  }
  if (!known->second) {
    return no("still runs; end it with: sallyportctl sessions kill " + name.session.hex());
  }
  if (logged.erased.contains(name) && order.what == ErasureOrder::What::key) {
    return no("was erased already");
  }
  if (going_.contains(name)) {
    return no("is being erased at this moment");
  }
  return stores_.holds.is_held(name)
             ? no("is under legal hold; release it with: sallyportctl recordings release " +
                  recording_id(name))
             : ok();
}

void Eraser::check_and_log(Erasure erasure, const LoggedRecordings& logged) {
  std::vector<RecordingName> can_go;
  for (const RecordingName& name : erasure.order.recordings) {
    const Status possible = why_not(name, erasure.order, logged);
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
  when_signed(stores_.log.size(), [this, erasure] { erase(erasure); });
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
  log_info("recordings are erased", {{"order", to_hex(hash)},
                                     {"recordings", std::to_string(entries.size())},
                                     {"reason", erasure.order.reason}});
  return stores_.log.append(entries);
}

void Eraser::when_signed(uint64_t size, const std::function<void()>& then) {
  if (stores_.log.signed_size() >= size) {
    return then();
  }
  loop_.call_after(kLookAgain, [this, size, then] { when_signed(size, then); });
}

void Eraser::erase(const Erasure& erasure) {
  const bool taken = workers_.submit([this, erasure] {
    Status all = ok();
    for (const RecordingName& name : erasure.order.recordings) {
      if (const Status one = erase_files(stores_.folder, stores_.facts, name, erasure.order.what);
          !one && all) {
        all = Error{one.error().code, recording_id(name) +
                                          " could not be erased, which is tried "
                                          "again within the hour: " +
                                          one.error().message};
      }
    }
    return [this, erasure, all] {
      tell_index(erasure.order.recordings);
      for (const RecordingName& name : erasure.order.recordings) {
        going_.erase(name);
      }
      erasure.done(all);
    };
  });
  if (!taken) {
    loop_.call_after(kLookAgain, [this, erasure] { erase(erasure); });
  }
}

void Eraser::finish_all() {
  const uint64_t size = stores_.log.size();
  when_signed(size, [this, size] {
    const bool taken = workers_.submit([this, size, folder = stores_.log.folder()] {
      const auto logged = logged_recordings(folder, size);
      const auto finished = logged ? finish_erasures(stores_.folder, stores_.facts, folder, *logged)
                                   : std::vector<RecordingName>{};
      return [this, finished] { tell_index(finished); };
    });
    if (!taken) {
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
