// SPDX-License-Identifier: Apache-2.0
//
// The numbers of all messages between our processes (docs/ipc.md), and the common answer.
#pragma once

#include <cstdint>
#include <string>

namespace sallyport {

enum class MessageType : uint16_t {
  answer = 0x0001,

  session_start = 0x0101,
  start_back = 0x0102,
  back_start = 0x0103,
  back_ready = 0x0104,
  session_failed = 0x0105,
  start_jump = 0x0106,
  jump_started = 0x0107,
  start_child = 0x0108,
  child_started = 0x0109,

  key_proven = 0x0201,
  prompt_wanted = 0x0202,
  prompt_answer = 0x0203,
  prompt = 0x0204,
  verdict = 0x0205,
  ask_key_login = 0x0206,
  ask_prompt_login = 0x0207,
  grant = 0x0208,
  grant_revoked = 0x0209,
  login_origin = 0x020a,
  ask_jump_login = 0x020b,
  ask_jump_target = 0x020c,
  jump_target = 0x020d,

  channel_open = 0x0301,
  channel_refused = 0x0303,
  channel_pty = 0x0304,
  channel_env = 0x0305,
  channel_start = 0x0306,
  channel_started = 0x0307,
  channel_resize = 0x0308,
  channel_signal = 0x0309,
  channel_data = 0x030a,
  channel_credit = 0x030b,
  channel_eof = 0x030c,
  channel_exit_status = 0x030d,
  channel_exit_signal = 0x030e,
  channel_close = 0x030f,
  channel_x11 = 0x0310,
  channel_agent = 0x0311,
  channel_break = 0x0316,
  forward_open = 0x0312,
  listen_ask = 0x0313,
  listen_answer = 0x0314,
  listen_cancel = 0x0315,

  confirm_grant = 0x0401,
  grant_facts = 0x0402,

  ask_signer = 0x0501,
  signer = 0x0502,
  vault_add = 0x0503,
  vault_generate = 0x0504,
  vault_remove = 0x0505,
  vault_list = 0x0506,
  vault_entry = 0x0507,
  log_state = 0x0510,
  log_state_is = 0x0511,
  sign_checkpoint = 0x0512,
  checkpoint_signed = 0x0513,

  open_recording = 0x0601,
  recording_opened = 0x0602,
  recording_ended = 0x0603,
  recording_head_is = 0x0605,
  watch_log = 0x0610,
  checkpoint_is = 0x0611,
  ask_consistency = 0x0612,
  consistency_is = 0x0613,
  witness_says = 0x0614,
  recordings_find = 0x0620,
  recording_entry = 0x0621,
  reindex = 0x0622,
  recording_hold = 0x0623,
  recordings_erase = 0x0624,
  retention_look = 0x0625,
  due_recording = 0x0626,

  keys_list = 0x0701,
  key_entry = 0x0702,
  key_revoke = 0x0703,
  key_register = 0x0704,
  sessions_list = 0x0705,
  session_entry = 0x0706,
  session_kill = 0x0707,
  reload = 0x0708,
};

// The end of every administrative question: what happened, in one line for the person who asked.
struct Answer {
  static constexpr MessageType kType = MessageType::answer;
  bool ok = false;
  std::string text;
  void fields(auto& io) { io(ok, text); }
};

}  // namespace sallyport
