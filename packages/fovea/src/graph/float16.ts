/**
 * @file The two 16-bit float types as numbers: rounding to them (to nearest, ties to even, from any double without an
 * intermediate step) and their bits. bfloat16 is float32 with 7 fraction bits; float16 is IEEE 754 binary16.
 */

export type HalfType = 'bfloat16' | 'float16'

interface Format {
  readonly fractionBits: number
  /** Exponent of the smallest normal number. */
  readonly minExponent: number
  /** The largest number; what rounds beyond it is infinite. */
  readonly max: number
  /** By a double's biased exponent: the number that, added and subtracted again, rounds at the format's last bit. */
  readonly magic: Float64Array
}

function format(fractionBits: number, minExponent: number, maxExponent: number): Format {
  // Adding 1.5·2^52·q moves everything below the quantum q out of a double's 52 fraction bits.
  const magic = Float64Array.from({ length: 2047 }, (_, biased) => {
    const exponent = Math.min(Math.max(biased - 1023, minExponent), maxExponent)
    return 1.5 * 2 ** (52 + exponent - fractionBits)
  })
  return { fractionBits, minExponent, max: (2 - 2 ** -fractionBits) * 2 ** maxExponent, magic }
}

const formats: Record<HalfType, Format> = { bfloat16: format(7, -126, 127), float16: format(10, -14, 15) }

export const isHalf = (dtype: string): dtype is HalfType => dtype === 'bfloat16' || dtype === 'float16'

const double = new Float64Array(1)
const doubleWords = new Uint32Array(double.buffer)
const single = new Float32Array(1)
const singleWord = new Uint32Array(single.buffer)
// On little-endian machines, which are all that run Node or a browser today, the high word comes second.
const highWord = 1

/** The nearest number of the format. */
function roundOne(x: number, { magic, max }: Format): number {
  double[0] = x
  const biased = (doubleWords[highWord] >>> 20) & 0x7ff
  if (biased === 0x7ff) return x // infinite or not a number
  const rounded = x + magic[biased] - magic[biased]
  if (Math.abs(rounded) > max) return x > 0 ? Number.POSITIVE_INFINITY : Number.NEGATIVE_INFINITY
  return rounded === 0 ? x * 0 : rounded // keeps the sign of zero
}

/** Rounds every element, in place. */
export function roundArrayToHalf(values: { [index: number]: number; readonly length: number }, dtype: HalfType): void {
  const target = formats[dtype]
  for (let i = 0; i < values.length; i++) values[i] = roundOne(values[i], target)
}

/** Rounds and stores as bits. */
export function encodeHalf(values: ArrayLike<number>, dtype: HalfType): Uint16Array {
  const target = formats[dtype]
  return Uint16Array.from(values, x => bitsOf(roundOne(x, target), dtype))
}

/** The bits of a number that the type holds exactly. */
function bitsOf(x: number, dtype: HalfType): number {
  single[0] = x
  const word = singleWord[0]
  if (dtype === 'bfloat16') return Number.isNaN(x) ? 0x7fc0 : word >>> 16
  const sign = (word >>> 16) & 0x8000
  const size = Math.abs(x)
  if (Number.isNaN(x)) return 0x7e00
  if (size === Number.POSITIVE_INFINITY) return sign | 0x7c00
  if (size < 2 ** -14) return sign | (size * 2 ** 24) // subnormal: a whole number of 2^-24
  return sign | (((word & 0x7fffffff) - (112 << 23)) >>> 13) // from float32's exponent bias 127 to 15
}

/** The numbers that bits stand for. */
export function decodeHalf(bits: Uint16Array, dtype: HalfType): Float32Array {
  const values = new Float32Array(bits.length)
  if (dtype === 'bfloat16') {
    const words = new Uint32Array(values.buffer)
    for (let i = 0; i < bits.length; i++) words[i] = bits[i] << 16
    return values
  }
  for (let i = 0; i < bits.length; i++) {
    const sign = bits[i] & 0x8000 ? -1 : 1
    const exponent = (bits[i] >>> 10) & 31
    const fraction = bits[i] & 0x3ff
    if (exponent === 31) values[i] = fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN
    else values[i] = exponent === 0 ? sign * fraction * 2 ** -24 : sign * (1024 + fraction) * 2 ** (exponent - 25)
  }
  return values
}
