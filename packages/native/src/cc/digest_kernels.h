// Checksums without an instruction of their own that gain much over JavaScript. Each goes on from a state of the caller.
#pragma once
#include <cstddef>
#include <cstdint>

namespace daos {
// The register of CRC-64/XZ, not inverted.
uint64_t Crc64Register(uint64_t crc, const uint8_t* data, size_t length);
// Adler-32 as two packed sums, both of any start below 65521.
uint32_t Adler32Sums(uint32_t sums, const uint8_t* data, size_t length);

constexpr size_t kMultiHashLanes = 16;
constexpr size_t kMultiHashBlockBytes = 1024;
constexpr size_t kSha1Words = 5;
constexpr size_t kSha256Words = 8;
// The compression of SHA-1 and SHA-256 in sixteen lanes over whole blocks: 32-bit word i of a block belongs to lane
// i mod 16. `state` holds word 0 of all lanes, then word 1, and so on.
void MultiHashSha1(uint32_t* state, const uint8_t* data, size_t blocks);
void MultiHashSha256(uint32_t* state, const uint8_t* data, size_t blocks);
}  // namespace daos
