// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "shared/config/config.h"
#include "shared/ipc/peer.h"

#include <string>
#include <utility>
#include <vector>

namespace sallyport {

// One administrative conversation with a daemon: a question, entries, an Answer.
class DaemonClient {
public:
  // Errors say whether the daemon does not run or we may not ask it, and what to do.
  static Result<DaemonClient> connect(const Config& config, const std::string& daemon);

  // The entries before the Answer; an Answer that is not ok is an error with its text. `text`, when
  // given, is the Answer's.
  template <class Entry, class Question>
  Result<std::vector<Entry>> ask_entries(const Question& question, std::string* text = nullptr) {
    if (auto sent = peer_.send(question); !sent) {
      return closed(sent.error());
    }
    std::vector<Entry> entries;
    for (;;) {
      auto received = next();
      if (!received) {
        return received.error();
      }
      if (received->type == Answer::kType) {
        const auto answer = read_answer(*received);
        if (answer && text != nullptr) {
          *text = *answer;
        }
        return answer ? Result<std::vector<Entry>>(std::move(entries)) : answer.error();
      }
      auto entry = decode_as<Entry>(*received);
      if (!entry) {
        return entry.error();
      }
      entries.push_back(std::move(*entry));
    }
  }

  // A question without entries; the Answer's text.
  template <class Question>
  Result<std::string> ask(const Question& question) {
    std::string text;
    auto entries = ask_entries<Answer>(question, &text);
    return entries ? Result<std::string>(std::move(text)) : entries.error();
  }

  // A question that one message of its own answers.
  template <class Reply, class Question>
  Result<Reply> ask_one(const Question& question) {
    if (auto sent = peer_.send(question); !sent) {
      return closed(sent.error());
    }
    const auto received = next();
    return received ? decode_as<Reply>(*received) : received.error();
  }

private:
  DaemonClient(std::string daemon, UniqueFd socket)
      : daemon_(std::move(daemon)), peer_(std::move(socket)) {}

  template <class Message>
  Result<Message> decode_as(const Received& received) const {
    if (received.type != Message::kType) {
      return Error{Errc::protocol, daemon_ + " answered with message " +
                                       std::to_string(static_cast<unsigned>(received.type)) +
                                       "; is it of another version? restart it"};
    }
    return decode<Message>(received.body);
  }
  Result<Received> next();
  Result<std::string> read_answer(const Received& received) const;
  Error closed(const Error& error) const;

  std::string daemon_;
  Peer peer_;
};

}  // namespace sallyport
