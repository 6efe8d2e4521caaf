// SPDX-License-Identifier: Apache-2.0
#include "bastion/stored/order_check.h"

#include "shared/base/hex.h"
#include "shared/config/host_key.h"

#include <algorithm>
#include <vector>

namespace sallyport::stored {

namespace {

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

Result<ErasureOrder> check_order(const std::string& bytes, const std::string& node,
                                 const ErasureConfig& config) {
  const auto order = parse_erasure_order(bytes);
  if (!order) {
    return order.error();
  }
  if (order->order.node != node) {
    return Error{Errc::invalid,
                 "the order is for node " + order->order.node + ", and this is " + node};
  }
  if (config.approvers.empty()) {
    return order->order;
  }
  const auto approvers = blobs_of(config.approvers);
  const auto count = std::count_if(
      order->signers.begin(), order->signers.end(),
      [&](const auto& by) { return std::binary_search(approvers.begin(), approvers.end(), by); });
  if (static_cast<uint64_t>(count) < config.approvals) {
    return Error{Errc::denied,
                 "the order has " + std::to_string(count) + " of " +
                     std::to_string(config.approvals) +
                     " signatures of recording.erasure.approvers; they sign it with: ssh-keygen -Y "
                     "sign -n " +
                     std::string(kErasureNamespace) + " -f KEY ORDER"};
  }
  return order->order;
}

}  // namespace sallyport::stored
