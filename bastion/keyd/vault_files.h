// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "shared/base/result.h"

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace sallyport {

// Files in keyd's folders, by the folder's descriptor. Links are not followed.

// At most 32 KiB. Errc::not_found where there is none.
Result<std::vector<uint8_t>> read_small_file(int folder, const std::string& name);

// Mode 0600, on disk when this returns; after a crash it is there whole or not at all. Replaces
// nothing: Errc::denied where it exists. What a crash leaves behind is NAME.new.
Status write_new_file(int folder, const std::string& name, std::span<const uint8_t> bytes);

// The same, but what was there is replaced, in one step.
Status replace_small_file(int folder, const std::string& name, std::span<const uint8_t> bytes);

Status sync_folder(int folder);

}  // namespace sallyport
