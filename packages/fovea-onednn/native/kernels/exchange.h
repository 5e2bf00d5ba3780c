// What transposes squares of numbers in registers, by halves: 8 apart, then 4, 2 and 1.
#pragma once
#include <cstdint>

namespace {

typedef uint32_t wu __attribute__((vector_size(64)));

// The odd blocks of `Apart` lanes of one of so many rows change places with the even ones of the row so far below.
template <int Apart, int Rows>
inline void exchange(wu* rows) {
#define LANE(i, upper) ((i) & Apart ? 16 + (i) - (upper ? 0 : Apart) : (i) + (upper ? Apart : 0))
#define LANES(u) LANE(0, u), LANE(1, u), LANE(2, u), LANE(3, u), LANE(4, u), LANE(5, u), LANE(6, u), LANE(7, u), \
    LANE(8, u), LANE(9, u), LANE(10, u), LANE(11, u), LANE(12, u), LANE(13, u), LANE(14, u), LANE(15, u)
  for (int i = 0; i < Rows; i++) {
    if (i & Apart) continue;
    const wu a = rows[i], b = rows[i + Apart];
    rows[i] = __builtin_shufflevector(a, b, LANES(false));
    rows[i + Apart] = __builtin_shufflevector(a, b, LANES(true));
  }
#undef LANES
#undef LANE
}

}  // namespace
