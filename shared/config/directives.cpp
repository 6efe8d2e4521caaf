// SPDX-License-Identifier: Apache-2.0
#include "shared/config/directives.h"

#include <type_traits>

namespace sallyport {

namespace {

using std::chrono::seconds;
using Texts = std::vector<std::string>;
using Choices = std::string_view[];

constexpr std::string_view kAuthentications[] = {"none", "basic", "basic_raw", "post",
                                                 "private_key_jwt"};
constexpr std::string_view kPrompts[] = {"enter", "auto"};
constexpr std::string_view kEnrolments[] = {"open", "closed"};
constexpr std::string_view kChannels[] = {"shell", "exec",          "sftp",           "subsystem",
                                          "agent", "local-forward", "remote-forward", "x11"};
constexpr std::string_view kCiphers[] = {"aes256-gcm@openssh.com",
                                         "aes128-gcm@openssh.com",
                                         "chacha20-poly1305@openssh.com",
                                         "aes256-ctr",
                                         "aes192-ctr",
                                         "aes128-ctr"};

constexpr uint32_t kMaxSessions = 100'000;
constexpr uint32_t kMaxReserveMib = 1'000'000;
constexpr uint32_t kMaxSessionSeconds = 366 * 24 * 3600;
constexpr uint32_t kMaxRememberSeconds = 31 * 24 * 3600;
constexpr uint32_t kMaxLoginSeconds = 3600;
constexpr uint32_t kMaxRetentionDays = 100 * 366;
constexpr uint32_t kMaxRetentionMib = 1'000'000'000;
constexpr uint32_t kMaxApprovals = 16;
constexpr uint32_t kMaxWitnessInterval = 24 * 3600;

constexpr std::string_view kInit = "`sallyportctl init` makes one";
constexpr std::string_view kRecipient =
    "a recording needs somebody who may read it: `sallyport-play keygen` makes a key; put the "
    "\"age1...\" that it prints here";

constexpr Directive<Config> kConfig[] = {
    {.key = "$schema", .field = [](Config&) { return Ignored{}; }},
    {.key = "development", .field = [](Config& c) -> bool& { return c.development; }},
    {.key = "node", .field = [](Config& c) -> std::string& { return c.node; }, .check = check_node},
    {.key = "listen", .field = [](Config& c) -> Texts& { return c.listen; }, .check = check_listen},
    {.key = "host_keys",
     .field = [](Config& c) -> Texts& { return c.host_key_files; },
     .check = check_not_empty,
     .is_path = true,
     .if_missing = kInit},
    {.key = "state_directory",
     .field = [](Config& c) -> std::string& { return c.state_directory; },
     .check = check_not_empty,
     .is_path = true},
    {.key = "runtime_directory",
     .field = [](Config& c) -> std::string& { return c.runtime_directory; },
     .check = check_not_empty,
     .is_path = true},
    {.key = "vault.key_file",
     .field = [](Config& c) -> std::string& { return c.vault_key_file; },
     .check = check_not_empty,
     .is_path = true},
    {.key = "jump.key_file",
     .field = [](Config& c) -> std::string& { return c.jump_key_file; },
     .check = check_not_empty,
     .is_path = true},
    {.key = "seal.key_file",
     .field = [](Config& c) -> std::string& { return c.seal_key_file; },
     .check = check_not_empty,
     .is_path = true},
    {.key = "limits.max_sessions",
     .field = [](Config& c) -> uint32_t& { return c.max_sessions; },
     .min = 1,
     .max = kMaxSessions},
    {.key = "limits.idle_input_s",
     .field = [](Config& c) -> seconds& { return c.idle_input; },
     .max = kMaxSessionSeconds},
    {.key = "limits.idle_output_s",
     .field = [](Config& c) -> seconds& { return c.idle_output; },
     .max = kMaxSessionSeconds},
    {.key = "limits.session_s",
     .field = [](Config& c) -> seconds& { return c.session_length; },
     .max = kMaxSessionSeconds},
    {.key = "limits.keepalive_s",
     .field = [](Config& c) -> seconds& { return c.keepalive; },
     .max = kMaxSessionSeconds},
    {.key = "limits.max_unauthenticated",
     .field = [](Config& c) -> uint32_t& { return c.max_unauthenticated; },
     .min = 1,
     .max = kMaxSessions},
    {.key = "ciphers", .field = [](Config& c) -> Texts& { return c.ciphers; }, .choices = kCiphers},
    {.key = "environment",
     .field = [](Config& c) -> Texts& { return c.environment; },
     .check = check_variable_glob},

    {.key = "identity.issuer",
     .field = [](Config& c) -> std::string& { return c.identity.issuer; },
     .check = check_url,
     .if_missing = "the URL of your identity provider, as its discovery document gives it"},
    {.key = "identity.discovery_url",
     .field = [](Config& c) -> std::string& { return c.identity.discovery_url; },
     .check = check_url},
    {.key = "identity.client_id",
     .field = [](Config& c) -> std::string& { return c.identity.client_id; },
     .check = check_not_empty,
     .if_missing = "register a client for the device flow at your identity provider"},
    {.key = "identity.client_authentication",
     .field = [](Config& c) -> std::string& { return c.identity.client_authentication; },
     .choices = kAuthentications},
    {.key = "identity.client_secret_file",
     .field = [](Config& c) -> std::string& { return c.identity.client_secret_file; },
     .check = check_not_empty,
     .is_path = true},
    {.key = "identity.client_key_file",
     .field = [](Config& c) -> std::string& { return c.identity.client_key_file; },
     .check = check_not_empty,
     .is_path = true},
    {.key = "identity.ca_file",
     .field = [](Config& c) -> std::string& { return c.identity.ca_file; },
     .check = check_not_empty,
     .is_path = true},
    {.key = "identity.proxy",
     .field = [](Config& c) -> std::string& { return c.identity.proxy; },
     .check = check_url},
    {.key = "identity.scopes",
     .field = [](Config& c) -> Texts& { return c.identity.scopes; },
     .check = check_scope},
    {.key = "identity.name_claim",
     .field = [](Config& c) -> std::string& { return c.identity.name_claim; },
     .check = check_not_empty},
    {.key = "identity.groups_claim",
     .field = [](Config& c) -> std::string& { return c.identity.groups_claim; },
     .check = check_not_empty},

    {.key = "login.prompt",
     .field = [](Config& c) -> LoginConfig::Prompt& { return c.login.prompt; },
     .choices = kPrompts},
    {.key = "login.enrolment",
     .field = [](Config& c) -> LoginConfig::Enrolment& { return c.login.enrolment; },
     .choices = kEnrolments},
    {.key = "login.without_key", .field = [](Config& c) -> bool& { return c.login.without_key; }},
    {.key = "login.qr_code", .field = [](Config& c) -> bool& { return c.login.qr_code; }},
    {.key = "login.remember_s",
     .field = [](Config& c) -> seconds& { return c.login.remember; },
     .max = kMaxRememberSeconds},
    {.key = "login.deadline_s",
     .field = [](Config& c) -> seconds& { return c.login.deadline; },
     .min = 1,
     .max = kMaxLoginSeconds},
    {.key = "login.grace_s",
     .field = [](Config& c) -> seconds& { return c.login.grace; },
     .min = 1,
     .max = kMaxLoginSeconds},

    {.key = "recording.recipients",
     .field = [](Config& c) -> Texts& { return c.recipients; },
     .check = check_recipient,
     .if_missing = kRecipient},
    {.key = "recording.reserve_mib",
     .field = [](Config& c) -> uint32_t& { return c.reserve_mib; },
     .max = kMaxReserveMib},
    {.key = "recording.retention_days",
     .field = [](Config& c) -> uint32_t& { return c.retention.days; },
     .max = kMaxRetentionDays},
    {.key = "recording.retention_mib",
     .field = [](Config& c) -> uint32_t& { return c.retention.mib; },
     .max = kMaxRetentionMib},
    {.key = "recording.erasure.approvers",
     .field = [](Config& c) -> Texts& { return c.erasure.approvers; },
     .check = check_host_key},
    {.key = "recording.erasure.approvals",
     .field = [](Config& c) -> uint32_t& { return c.erasure.approvals; },
     .min = 1,
     .max = kMaxApprovals},
    {.key = "recording.second_recipients",
     .field = [](Config& c) -> Texts& { return c.second_recipients; },
     .check = check_recipient},
    {.key = "recording.keystrokes.recipients",
     .field = [](Config& c) -> Texts& { return c.key_recipients; },
     .check = check_recipient},
    {.key = "recording.keystrokes.second_recipients",
     .field = [](Config& c) -> Texts& { return c.second_key_recipients; },
     .check = check_recipient},
    {.key = "recording.keystrokes.retention_days",
     .field = [](Config& c) -> uint32_t& { return c.keystrokes_retention_days; },
     .max = kMaxRetentionDays},
    {.key = "log.witnesses",
     .field = [](Config& c) -> std::map<std::string, WitnessConfig>& { return c.witnesses; }},
    {.key = "roles",
     .field = [](Config& c) -> std::map<std::string, RoleConfig>& { return c.roles; }},
    {.key = "targets",
     .field = [](Config& c) -> std::map<std::string, TargetConfig>& { return c.targets; }},
    {.key = "host_cas",
     .field = [](Config& c) -> std::map<std::string, HostCaConfig>& { return c.host_cas; }},
    {.key = "revoked_host_keys",
     .field = [](Config& c) -> Texts& { return c.revoked_host_keys; },
     .check = check_host_key},
};

constexpr Directive<RoleConfig> kRole[] = {
    {.key = "groups",
     .field = [](RoleConfig& r) -> Texts& { return r.groups; },
     .check = check_not_empty,
     .if_missing = "the groups whose members have this role; \"*\" is everybody"},
    {.key = "targets",
     .field = [](RoleConfig& r) -> Texts& { return r.targets; },
     .check = check_name_glob,
     .if_missing = "the targets that this role reaches, for example \"web*\""},
    {.key = "logins",
     .field = [](RoleConfig& r) -> Texts& { return r.logins; },
     .check = check_name_or_any,
     .if_missing = "the login names that this role may use on its targets"},
    {.key = "default_login",
     .field = [](RoleConfig& r) -> std::string& { return r.default_login; },
     .check = check_name},
    {.key = "channels",
     .field = [](RoleConfig& r) -> Texts& { return r.channels; },
     .choices = kChannels},
    {.key = "forward_to",
     .field = [](RoleConfig& r) -> Texts& { return r.forward_to; },
     .check = check_place_glob},
    {.key = "listen_on",
     .field = [](RoleConfig& r) -> Texts& { return r.listen_on; },
     .check = check_place_glob},
    {.key = "record_streams_mib",
     .field = [](RoleConfig& r) -> uint32_t& { return r.record_streams_mib; },
     .max = kRecordEverythingMib},
    {.key = "record_forwards_mib",
     .field = [](RoleConfig& r) -> uint32_t& { return r.record_forwards_mib; },
     .max = kRecordEverythingMib},
    {.key = "record_keystrokes",
     .field = [](RoleConfig& r) -> bool& { return r.record_keystrokes; }},
    {.key = "retention_days",
     .field = [](RoleConfig& r) -> uint32_t& { return r.retention.days; },
     .max = kMaxRetentionDays},
    {.key = "retention_mib",
     .field = [](RoleConfig& r) -> uint32_t& { return r.retention.mib; },
     .max = kMaxRetentionMib},
};

constexpr Directive<TargetConfig> kTarget[] = {
    {.key = "address",
     .field = [](TargetConfig& t) -> std::string& { return t.address; },
     .check = check_target_address,
     .if_missing = "where the target listens, host:port"},
    {.key = "host_keys",
     .field = [](TargetConfig& t) -> Texts& { return t.host_keys; },
     .check = check_host_key},
    {.key = "key",
     .field = [](TargetConfig& t) -> std::string& { return t.key; },
     .check = check_name},
    {.key = "retention_days",
     .field = [](TargetConfig& t) -> uint32_t& { return t.retention.days; },
     .max = kMaxRetentionDays},
    {.key = "retention_mib",
     .field = [](TargetConfig& t) -> uint32_t& { return t.retention.mib; },
     .max = kMaxRetentionMib},
};

constexpr Directive<HostCaConfig> kHostCa[] = {
    {.key = "patterns",
     .field = [](HostCaConfig& c) -> Texts& { return c.patterns; },
     .check = check_host_pattern,
     .if_missing = "the hosts that it signs for, for example \"*.example.com\""},
    {.key = "key",
     .field = [](HostCaConfig& c) -> std::string& { return c.key; },
     .check = check_host_key,
     .if_missing = "its public key, \"ssh-ed25519 AAAA...\""},
};

constexpr Directive<WitnessConfig> kWitness[] = {
    {.key = "file",
     .field = [](WitnessConfig& w) -> std::string& { return w.file; },
     .check = check_not_empty,
     .is_path = true},
    {.key = "command", .field = [](WitnessConfig& w) -> Texts& { return w.command; }},
    {.key = "syslog", .field = [](WitnessConfig& w) -> bool& { return w.syslog; }},
    {.key = "url",
     .field = [](WitnessConfig& w) -> std::string& { return w.url; },
     .check = check_url},
    {.key = "key",
     .field = [](WitnessConfig& w) -> std::string& { return w.key; },
     .check = check_witness_key},
    {.key = "ca_file",
     .field = [](WitnessConfig& w) -> std::string& { return w.ca_file; },
     .check = check_not_empty,
     .is_path = true},
    {.key = "required", .field = [](WitnessConfig& w) -> bool& { return w.required; }},
    {.key = "interval_s",
     .field = [](WitnessConfig& w) -> seconds& { return w.interval; },
     .max = kMaxWitnessInterval},
};

template <class T>
struct SchemaType;
template <>
struct SchemaType<Ignored> {
  static constexpr const char* kName = "string";
};
template <>
struct SchemaType<bool> {
  static constexpr const char* kName = "boolean";
};
template <>
struct SchemaType<std::string> : SchemaType<Ignored> {};
template <>
struct SchemaType<LoginConfig::Prompt> : SchemaType<Ignored> {};
template <>
struct SchemaType<LoginConfig::Enrolment> : SchemaType<Ignored> {};
template <>
struct SchemaType<uint32_t> {
  static constexpr const char* kName = "integer";
};
template <>
struct SchemaType<seconds> : SchemaType<uint32_t> {};
template <>
struct SchemaType<Texts> {
  static constexpr const char* kName = "array";
};
template <class T>
struct SchemaType<std::map<std::string, T>> {
  static constexpr const char* kName = "object";
};

template <class Owner>
void append_summaries(const std::string& prefix, std::vector<DirectiveSummary>& out) {
  for (const auto& directive : directives<Owner>()) {
    DirectiveSummary summary;
    summary.key = prefix + std::string(directive.key);
    summary.type = std::visit(
        []<class T>(T (*)(Owner&)) { return SchemaType<std::remove_reference_t<T>>::kName; },
        directive.field);
    summary.choices.assign(directive.choices.begin(), directive.choices.end());
    summary.min = directive.min;
    summary.max = directive.max;
    summary.required = !directive.if_missing.empty();
    out.push_back(std::move(summary));
  }
}

}  // namespace

template <>
std::span<const Directive<Config>> directives<Config>() {
  return kConfig;
}
template <>
std::span<const Directive<RoleConfig>> directives<RoleConfig>() {
  return kRole;
}
template <>
std::span<const Directive<TargetConfig>> directives<TargetConfig>() {
  return kTarget;
}
template <>
std::span<const Directive<HostCaConfig>> directives<HostCaConfig>() {
  return kHostCa;
}
template <>
std::span<const Directive<WitnessConfig>> directives<WitnessConfig>() {
  return kWitness;
}

std::vector<DirectiveSummary> list_directives() {
  std::vector<DirectiveSummary> out;
  append_summaries<Config>("", out);
  append_summaries<RoleConfig>("roles.*.", out);
  append_summaries<TargetConfig>("targets.*.", out);
  append_summaries<HostCaConfig>("host_cas.*.", out);
  append_summaries<WitnessConfig>("log.witnesses.*.", out);
  return out;
}

}  // namespace sallyport
