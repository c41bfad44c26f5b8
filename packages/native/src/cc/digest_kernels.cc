#include "digest_kernels.h"

#include <algorithm>
#include <cstring>

// Vectors never cross a call (everything is inlined), so their calling convention is no matter.
#pragma GCC diagnostic ignored "-Wpsabi"

namespace daos {
namespace {

constexpr int kSlices = 16;

uint64_t LoadLittle64(const uint8_t* at) {
  uint64_t word;
  std::memcpy(&word, at, sizeof word);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
  word = __builtin_bswap64(word);
#endif
  return word;
}

// "Slicing" (Kounavis and Berry, 2005): the effect of a byte followed by 0..15 zero bytes.
struct Crc64Tables {
  uint64_t slice[kSlices][256];

  Crc64Tables() {
    for (uint64_t n = 0; n < 256; n++) {
      uint64_t crc = n;
      for (int bit = 0; bit < 8; bit++) crc = (crc & 1) ? (crc >> 1) ^ 0xc96c5795d7870f42u : crc >> 1;
      slice[0][n] = crc;
    }
    for (int k = 1; k < kSlices; k++) {
      for (uint32_t n = 0; n < 256; n++) {
        const uint64_t crc = slice[k - 1][n];
        slice[k][n] = (crc >> 8) ^ slice[0][crc & 0xff];
      }
    }
  }
};

// The same operation in several lanes: one register of the target. All sixteen at once would not stay in registers.
using Lanes4 = uint32_t __attribute__((vector_size(16)));
using Lanes8 = uint32_t __attribute__((vector_size(32)));

#define DAOS_INLINE inline __attribute__((always_inline))

template <typename Lanes>
DAOS_INLINE Lanes RotateLeft(const Lanes& x, int bits) { return (x << bits) | (x >> (32 - bits)); }

template <typename Lanes>
DAOS_INLINE Lanes Load(const void* at) {
  Lanes x;
  std::memcpy(&x, at, sizeof x);
  return x;
}

template <typename Lanes>
DAOS_INLINE void AddTo(uint32_t* at, const Lanes& x) {
  const Lanes sum = Load<Lanes>(at) + x;
  std::memcpy(at, &sum, sizeof sum);
}

// The words of a message are big-endian.
template <typename Lanes>
DAOS_INLINE void LoadBigEndian(Lanes* words, const uint8_t* at) {
  for (int t = 0; t < 16; t++) {
    Lanes x = Load<Lanes>(at + 4 * kMultiHashLanes * t);
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    x = (x << 24) | ((x & 0xff00u) << 8) | ((x >> 8) & 0xff00u) | (x >> 24);
#endif
    words[t] = x;
  }
}

// FIPS 180-4, section 6.1.2, for the lanes from `state` and `data` on.
template <typename Lanes>
DAOS_INLINE void Sha1Block(uint32_t* state, const uint8_t* data) {
  Lanes w[16];
  LoadBigEndian(w, data);
  Lanes a = Load<Lanes>(state);
  Lanes b = Load<Lanes>(state + kMultiHashLanes);
  Lanes c = Load<Lanes>(state + 2 * kMultiHashLanes);
  Lanes d = Load<Lanes>(state + 3 * kMultiHashLanes);
  Lanes e = Load<Lanes>(state + 4 * kMultiHashLanes);
#pragma GCC unroll 80
  for (int t = 0; t < 80; t++) {
    Lanes word = w[t & 15];
    if (t >= 16) {
      word = RotateLeft<Lanes>(w[(t - 3) & 15] ^ w[(t - 8) & 15] ^ w[(t - 14) & 15] ^ word, 1);
      w[t & 15] = word;
    }
    Lanes f;
    if (t < 20) f = (d ^ (b & (c ^ d))) + 0x5a827999u;
    else if (t < 40) f = (b ^ c ^ d) + 0x6ed9eba1u;
    else if (t < 60) f = ((b & c) | (d & (b | c))) + 0x8f1bbcdcu;
    else f = (b ^ c ^ d) + 0xca62c1d6u;
    const Lanes next = RotateLeft(a, 5) + f + e + word;
    e = d;
    d = c;
    c = RotateLeft(b, 30);
    b = a;
    a = next;
  }
  AddTo(state, a);
  AddTo(state + kMultiHashLanes, b);
  AddTo(state + 2 * kMultiHashLanes, c);
  AddTo(state + 3 * kMultiHashLanes, d);
  AddTo(state + 4 * kMultiHashLanes, e);
}

template <typename Lanes>
DAOS_INLINE void Sha1Blocks(uint32_t* state, const uint8_t* data, size_t blocks) {
  constexpr size_t kLanes = sizeof(Lanes) / 4;
  for (; blocks > 0; blocks--, data += kMultiHashBlockBytes) {
    for (size_t lane = 0; lane < kMultiHashLanes; lane += kLanes) Sha1Block<Lanes>(state + lane, data + 4 * lane);
  }
}

// The first 32 bits of the fractional parts of the cube roots of the first 64 primes.
struct Sha256Rounds {
  uint32_t k[64];

  Sha256Rounds() {
    int found = 0;
    for (uint32_t candidate = 2; found < 64; candidate++) {
      bool is_prime = true;
      for (uint32_t divisor = 2; divisor * divisor <= candidate; divisor++) is_prime &= candidate % divisor != 0;
      if (is_prime) k[found++] = FractionOfCubeRoot(candidate);
    }
  }

  // The largest r with r^3 <= value * 2^96 is the root times 2^32; its low half is the fraction. The root is below 8.
  static uint32_t FractionOfCubeRoot(uint32_t value) {
    uint64_t low = 0;
    uint64_t high = uint64_t{1} << 35;
    while (low + 1 < high) {
      const uint64_t middle = (low + high) / 2;
      // middle^3 has up to 105 bits
      const unsigned __int128 cube = static_cast<unsigned __int128>(middle) * middle * middle;
      if (cube <= static_cast<unsigned __int128>(value) << 96) low = middle;
      else high = middle;
    }
    return static_cast<uint32_t>(low);
  }
};

// FIPS 180-4, section 6.2.2, for the lanes from `state` and `data` on.
template <typename Lanes>
DAOS_INLINE void Sha256Block(const uint32_t* k, uint32_t* state, const uint8_t* data) {
  Lanes w[16];
  LoadBigEndian(w, data);
  Lanes s[kSha256Words];
  for (size_t i = 0; i < kSha256Words; i++) s[i] = Load<Lanes>(state + i * kMultiHashLanes);
  Lanes a = s[0], b = s[1], c = s[2], d = s[3], e = s[4], f = s[5], g = s[6], h = s[7];
#pragma GCC unroll 64
  for (int t = 0; t < 64; t++) {
    Lanes word = w[t & 15];
    if (t >= 16) {
      const Lanes x = w[(t - 15) & 15];
      const Lanes y = w[(t - 2) & 15];
      word += (RotateLeft(x, 25) ^ RotateLeft(x, 14) ^ (x >> 3)) + w[(t - 7) & 15];
      word += RotateLeft(y, 15) ^ RotateLeft(y, 13) ^ (y >> 10);
      w[t & 15] = word;
    }
    const Lanes t1 = h + (RotateLeft(e, 26) ^ RotateLeft(e, 21) ^ RotateLeft(e, 7)) + (g ^ (e & (f ^ g))) + k[t] + word;
    const Lanes t2 = (RotateLeft(a, 30) ^ RotateLeft(a, 19) ^ RotateLeft(a, 10)) + ((a & b) | (c & (a | b)));
    h = g;
    g = f;
    f = e;
    e = d + t1;
    d = c;
    c = b;
    b = a;
    a = t1 + t2;
  }
  const Lanes sums[kSha256Words] = {a, b, c, d, e, f, g, h};
  for (size_t i = 0; i < kSha256Words; i++) AddTo(state + i * kMultiHashLanes, sums[i]);
}

template <typename Lanes>
DAOS_INLINE void Sha256Blocks(uint32_t* state, const uint8_t* data, size_t blocks) {
  static const Sha256Rounds rounds;
  constexpr size_t kLanes = sizeof(Lanes) / 4;
  for (; blocks > 0; blocks--, data += kMultiHashBlockBytes) {
    for (size_t lane = 0; lane < kMultiHashLanes; lane += kLanes) Sha256Block<Lanes>(rounds.k, state + lane, data + 4 * lane);
  }
}

constexpr uint32_t kAdlerModulus = 65521;
// Most steps before the higher sum could leave 32 bits.
constexpr size_t kAdlerRun = 5552;
constexpr size_t kAdlerStep = 16;

DAOS_INLINE uint32_t AdlerSums(uint32_t sums, const uint8_t* data, size_t length) {
  uint32_t low = sums & 0xffff;
  uint32_t high = sums >> 16;
  while (length > 0) {
    size_t run = std::min(length, kAdlerRun);
    length -= run;
    // In one lane per position: the plain sum, and the sum of what it was before each step. Each lane stays below
    // 347 * 347 / 2 * 255.
    uint32_t plain[kAdlerStep] = {};
    uint32_t before[kAdlerStep] = {};
    const size_t steps = run / kAdlerStep;
    for (size_t step = 0; step < steps; step++, data += kAdlerStep) {
      for (size_t i = 0; i < kAdlerStep; i++) {
        before[i] += plain[i];
        plain[i] += data[i];
      }
    }
    high += low * static_cast<uint32_t>(steps * kAdlerStep);
    for (size_t i = 0; i < kAdlerStep; i++) {
      high = (high + (before[i] % kAdlerModulus) * kAdlerStep + (plain[i] % kAdlerModulus) * (kAdlerStep - i)) % kAdlerModulus;
      low += plain[i];
    }
    for (run -= steps * kAdlerStep; run > 0; run--) {
      low += *data++;
      high += low % kAdlerModulus;
    }
    low %= kAdlerModulus;
    high %= kAdlerModulus;
  }
  return high << 16 | low;
}

#if defined(__x86_64__)
// The same code once more for processors with wider registers.
__attribute__((target("avx2"))) void Sha1Avx2(uint32_t* state, const uint8_t* data, size_t blocks) { Sha1Blocks<Lanes8>(state, data, blocks); }
__attribute__((target("avx2"))) void Sha256Avx2(uint32_t* state, const uint8_t* data, size_t blocks) { Sha256Blocks<Lanes8>(state, data, blocks); }
__attribute__((target("avx2"))) uint32_t AdlerAvx2(uint32_t sums, const uint8_t* data, size_t length) { return AdlerSums(sums, data, length); }
const bool kHasAvx2 = __builtin_cpu_supports("avx2") != 0;
#endif

}  // namespace

uint64_t Crc64Register(uint64_t crc, const uint8_t* data, size_t length) {
  static const Crc64Tables tables;
  const auto& t = tables.slice;
  for (; length >= kSlices; length -= kSlices, data += kSlices) {
    const uint64_t a = LoadLittle64(data) ^ crc;
    const uint64_t b = LoadLittle64(data + 8);
    crc = t[15][a & 0xff] ^ t[14][(a >> 8) & 0xff] ^ t[13][(a >> 16) & 0xff] ^ t[12][(a >> 24) & 0xff]
          ^ t[11][(a >> 32) & 0xff] ^ t[10][(a >> 40) & 0xff] ^ t[9][(a >> 48) & 0xff] ^ t[8][a >> 56]
          ^ t[7][b & 0xff] ^ t[6][(b >> 8) & 0xff] ^ t[5][(b >> 16) & 0xff] ^ t[4][(b >> 24) & 0xff]
          ^ t[3][(b >> 32) & 0xff] ^ t[2][(b >> 40) & 0xff] ^ t[1][(b >> 48) & 0xff] ^ t[0][b >> 56];
  }
  for (; length > 0; length--) crc = (crc >> 8) ^ t[0][(crc ^ *data++) & 0xff];
  return crc;
}

uint32_t Adler32Sums(uint32_t sums, const uint8_t* data, size_t length) {
#if defined(__x86_64__)
  if (kHasAvx2) return AdlerAvx2(sums, data, length);
#endif
  return AdlerSums(sums, data, length);
}

void MultiHashSha1(uint32_t* state, const uint8_t* data, size_t blocks) {
#if defined(__x86_64__)
  if (kHasAvx2) return Sha1Avx2(state, data, blocks);
#endif
  Sha1Blocks<Lanes4>(state, data, blocks);
}

void MultiHashSha256(uint32_t* state, const uint8_t* data, size_t blocks) {
#if defined(__x86_64__)
  if (kHasAvx2) return Sha256Avx2(state, data, blocks);
#endif
  Sha256Blocks<Lanes4>(state, data, blocks);
}

}  // namespace daos
