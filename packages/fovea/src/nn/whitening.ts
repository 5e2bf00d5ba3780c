/**
 * @file The whitening layer's filters: the principal directions of small patches of the training images, each scaled to
 * unit variance, and their negatives. Jordan 2024 (arXiv 2404.00498), section 3.2, after Page 2018's "How to train your
 * ResNet". Eigenvectors are computed in float64: the colour directions of JPEG images have variances near nothing.
 */
import type { Dataset, Normalization } from '../data/dataset.js'

/** The mean products of the values of patches of kernel × kernel pixels, [n, n] with n = channels · kernel², by rows. */
export interface PatchCovariance {
  readonly size: number
  readonly values: Float64Array
}

/**
 * Measures the patches at every place of evenly spaced images, normalized. Values are ordered as a convolution's weight:
 * channel, row, column.
 * @param sample how many images to look at; the paper's 5,000
 */
export function patchCovariance(
  dataset: Dataset,
  { mean, deviation }: Normalization,
  kernel: number,
  sample = 5000,
): PatchCovariance {
  const [height, width, channels] = dataset.imageShape
  const size = channels * kernel * kernel
  const sums = new Float64Array(size * size)
  const pixels = new Uint8Array(height * width * channels)
  const patch = new Float64Array(size)
  const images = Math.min(sample, dataset.length)
  for (let image = 0; image < images; image++) {
    dataset.read([Math.floor((image * dataset.length) / images)], pixels)
    for (let top = 0; top + kernel <= height; top++) {
      for (let left = 0; left + kernel <= width; left++) {
        for (let i = 0, c = 0; c < channels; c++) {
          for (let y = top; y < top + kernel; y++) {
            for (let x = left; x < left + kernel; x++, i++) {
              patch[i] = (pixels[(y * width + x) * channels + c] / 255 - mean[c]) / deviation[c]
            }
          }
        }
        for (let i = 0; i < size; i++) for (let j = 0; j <= i; j++) sums[i * size + j] += patch[i] * patch[j]
      }
    }
  }
  const patches = images * (height - kernel + 1) * (width - kernel + 1)
  const values = sums.map((_, at) => {
    const [i, j] = [Math.floor(at / size), at % size]
    return sums[Math.max(i, j) * size + Math.min(i, j)] / patches
  })
  return { size, values }
}

/** The covariance of patches whose values know nothing of each other. */
export const independentPatches = (size: number): PatchCovariance => ({
  size,
  values: Float64Array.from({ length: size * size }, (_, at) => (at % (size + 1) === 0 ? 1 : 0)),
})

/**
 * The filters, [2n, n] by rows: the eigenvectors from the largest variance to the smallest, each divided by
 * √(variance + epsilon), then their negatives.
 */
export function whiteningFilters({ size, values }: PatchCovariance, epsilon: number): Float32Array {
  const { eigenvalues, eigenvectors } = symmetricEigen(values, size)
  const order = Array.from(eigenvalues.keys()).sort((a, b) => eigenvalues[b] - eigenvalues[a])
  const filters = new Float32Array(2 * size * size)
  for (const [row, k] of order.entries()) {
    // A direction has no sign: the largest part is taken as positive, so that filters do not hang on rounding.
    const vector = Array.from({ length: size }, (_, i) => eigenvectors[i * size + k])
    const largest = vector.reduce((most, part) => (Math.abs(part) > Math.abs(most) ? part : most), 0)
    const scale = Math.sign(largest) / Math.sqrt(Math.max(0, eigenvalues[k]) + epsilon)
    for (const [i, part] of vector.entries()) {
      filters[row * size + i] = scale * part
      filters[(size + row) * size + i] = -scale * part
    }
  }
  return filters
}

/** More than enough: convergence is quadratic, and 12×12 needs about seven. */
const MAX_SWEEPS = 64

/**
 * All eigenvalues and eigenvectors (columns) of a symmetric matrix, by cyclic Jacobi rotations: slow for large matrices,
 * and exact for small eigenvalues, which is what is needed here. Golub and Van Loan, Matrix Computations, section 8.5.
 */
export function symmetricEigen(matrix: Float64Array, size: number) {
  const a = Float64Array.from(matrix)
  const v = independentPatches(size).values
  for (let sweep = 0; sweep < MAX_SWEEPS; sweep++) {
    let rotated = false
    for (let p = 0; p < size; p++) {
      for (let q = p + 1; q < size; q++) {
        const [pp, qq, pq] = [a[p * size + p], a[q * size + q], a[p * size + q]]
        if (Math.abs(pq) <= Number.EPSILON * Math.sqrt(Math.abs(pp * qq))) continue
        rotated = true
        const theta = (qq - pp) / (2 * pq)
        const t = (theta < 0 ? -1 : 1) / (Math.abs(theta) + Math.hypot(theta, 1))
        const cosine = 1 / Math.hypot(t, 1)
        rotate(a, size, p, q, cosine, t * cosine)
        for (let k = 0; k < size; k++) rotatePair(v, k * size + p, k * size + q, cosine, t * cosine)
      }
    }
    if (!rotated) break
  }
  return { eigenvalues: Float64Array.from({ length: size }, (_, i) => a[i * size + i]), eigenvectors: v }
}

/** Rows and columns p and q of a symmetric matrix. */
function rotate(a: Float64Array, size: number, p: number, q: number, cosine: number, sine: number): void {
  for (let k = 0; k < size; k++) rotatePair(a, k * size + p, k * size + q, cosine, sine)
  for (let k = 0; k < size; k++) rotatePair(a, p * size + k, q * size + k, cosine, sine)
}

function rotatePair(a: Float64Array, i: number, j: number, cosine: number, sine: number): void {
  const [x, y] = [a[i], a[j]]
  a[i] = cosine * x - sine * y
  a[j] = sine * x + cosine * y
}
