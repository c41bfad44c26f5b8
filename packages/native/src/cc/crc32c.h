// CRC-32C (Castagnoli) with the processor's instruction where it has one.
#pragma once
#include <cstddef>
#include <cstdint>

namespace daos {
// Continues `crc` (0 at the start) over `length` bytes.
uint32_t Crc32c(uint32_t crc, const uint8_t* data, size_t length);
// "sse4.2", "armv8" or "table".
const char* Crc32cImplementation();
}  // namespace daos
