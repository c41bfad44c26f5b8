#include "crc32c.h"

#include <cstring>

#if defined(__x86_64__)
#include <nmmintrin.h>
#elif defined(__aarch64__)
#include <arm_acle.h>
#include <asm/hwcap.h>
#include <sys/auxv.h>
#endif

namespace daos {
namespace {

constexpr uint32_t kPolynomial = 0x82f63b78;  // reversed
// The instruction has a latency of three and a throughput of one: three streams of this length run side by side,
// then their remainders are joined by shifting over the zeros that would follow.
constexpr size_t kLongBytes = 4096;
constexpr size_t kShortBytes = 256;

struct Tables {
  uint32_t slice[8][256];
  uint32_t shift_long[4][256];
  uint32_t shift_short[4][256];

  Tables() {
    for (uint32_t n = 0; n < 256; n++) {
      uint32_t crc = n;
      for (int bit = 0; bit < 8; bit++) crc = (crc & 1) ? (crc >> 1) ^ kPolynomial : crc >> 1;
      slice[0][n] = crc;
    }
    for (uint32_t n = 0; n < 256; n++) {
      for (int k = 1; k < 8; k++) slice[k][n] = (slice[k - 1][n] >> 8) ^ slice[0][slice[k - 1][n] & 0xff];
    }
    FillShift(shift_long, kLongBytes);
    FillShift(shift_short, kShortBytes);
  }

  // The remainder is linear: shifting it over `bytes` zeros is the sum of shifting each of its four bytes.
  void FillShift(uint32_t (&table)[4][256], size_t bytes) const {
    uint32_t bit_shifted[32];
    for (int bit = 0; bit < 32; bit++) {
      uint32_t crc = 1u << bit;
      for (size_t i = 0; i < bytes; i++) crc = (crc >> 8) ^ slice[0][crc & 0xff];
      bit_shifted[bit] = crc;
    }
    for (int byte = 0; byte < 4; byte++) {
      for (uint32_t n = 0; n < 256; n++) {
        uint32_t crc = 0;
        for (int bit = 0; bit < 8; bit++) {
          if (n & (1u << bit)) crc ^= bit_shifted[byte * 8 + bit];
        }
        table[byte][n] = crc;
      }
    }
  }
};

const Tables& GetTables() {
  static const Tables tables;
  return tables;
}

uint64_t Load64(const uint8_t* data) {
  uint64_t word;
  memcpy(&word, data, sizeof word);
  return word;
}

uint32_t Shift(const uint32_t (&table)[4][256], uint32_t crc) {
  return table[0][crc & 0xff] ^ table[1][(crc >> 8) & 0xff] ^ table[2][(crc >> 16) & 0xff] ^ table[3][crc >> 24];
}

[[maybe_unused]] uint32_t TableCrc(uint32_t crc, const uint8_t* data, size_t length) {
  const Tables& t = GetTables();
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
  for (; length >= 8; data += 8, length -= 8) {
    const uint64_t word = Load64(data) ^ crc;
    crc = t.slice[7][word & 0xff] ^ t.slice[6][(word >> 8) & 0xff] ^ t.slice[5][(word >> 16) & 0xff] ^
          t.slice[4][(word >> 24) & 0xff] ^ t.slice[3][(word >> 32) & 0xff] ^ t.slice[2][(word >> 40) & 0xff] ^
          t.slice[1][(word >> 48) & 0xff] ^ t.slice[0][word >> 56];
  }
#endif
  for (; length > 0; data++, length--) crc = (crc >> 8) ^ t.slice[0][(crc ^ *data) & 0xff];
  return crc;
}

#if defined(__x86_64__)
#define DAOS_CRC_TARGET __attribute__((target("sse4.2")))
#define DAOS_CRC_64(crc, word) static_cast<uint32_t>(_mm_crc32_u64(crc, word))
#define DAOS_CRC_8(crc, byte) _mm_crc32_u8(crc, byte)
#elif defined(__aarch64__)
#define DAOS_CRC_TARGET __attribute__((target("+crc")))
#define DAOS_CRC_64(crc, word) __crc32cd(crc, word)
#define DAOS_CRC_8(crc, byte) __crc32cb(crc, byte)
#endif

#ifdef DAOS_CRC_TARGET
template <size_t kBytes>
DAOS_CRC_TARGET uint32_t ThreeStreams(uint32_t crc, const uint8_t*& data, size_t& length, const uint32_t (&shift)[4][256]) {
  while (length >= 3 * kBytes) {
    uint32_t crc1 = 0;
    uint32_t crc2 = 0;
    for (size_t i = 0; i < kBytes; i += 8) {
      crc = DAOS_CRC_64(crc, Load64(data + i));
      crc1 = DAOS_CRC_64(crc1, Load64(data + kBytes + i));
      crc2 = DAOS_CRC_64(crc2, Load64(data + 2 * kBytes + i));
    }
    crc = Shift(shift, Shift(shift, crc) ^ crc1) ^ crc2;
    data += 3 * kBytes;
    length -= 3 * kBytes;
  }
  return crc;
}

DAOS_CRC_TARGET uint32_t HardwareCrc(uint32_t crc, const uint8_t* data, size_t length) {
  const Tables& t = GetTables();
  crc = ThreeStreams<kLongBytes>(crc, data, length, t.shift_long);
  crc = ThreeStreams<kShortBytes>(crc, data, length, t.shift_short);
  for (; length >= 8; data += 8, length -= 8) crc = DAOS_CRC_64(crc, Load64(data));
  for (; length > 0; data++, length--) crc = DAOS_CRC_8(crc, *data);
  return crc;
}
#endif

bool HasInstruction() {
#if defined(__x86_64__)
  return __builtin_cpu_supports("sse4.2");
#elif defined(__aarch64__)
  return (getauxval(AT_HWCAP) & HWCAP_CRC32) != 0;
#else
  return false;
#endif
}

const bool kHasInstruction = HasInstruction();

}  // namespace

uint32_t Crc32c(uint32_t crc, const uint8_t* data, size_t length) {
#ifdef DAOS_CRC_TARGET
  if (kHasInstruction) return ~HardwareCrc(~crc, data, length);
#endif
  return ~TableCrc(~crc, data, length);
}

const char* Crc32cImplementation() {
#if defined(__x86_64__)
  if (kHasInstruction) return "sse4.2";
#elif defined(__aarch64__)
  if (kHasInstruction) return "armv8";
#endif
  return "table";
}

}  // namespace daos
