// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "shared/base/result.h"
#include "shared/config/config.h"
#include "shared/evidence/erasure_order.h"

#include <string>

namespace sallyport::stored {

// An order of erasure that may be carried out here: for this node, with the signatures that the
// configuration wants. Errc::denied: they are not there.
Result<ErasureOrder> check_order(const std::string& bytes, const std::string& node,
                                 const ErasureConfig& config);

}  // namespace sallyport::stored
