// Kahan–Neumaier summation with state in two fields, so that loops need no tuples. Data plane.

/** A running sum; `sum + compensation` is the precise value unless `sum` is infinite. */
export class KahanSum {
  sum = 0
  compensation = 0

  reset(sum: number = 0): void {
    this.sum = sum
    this.compensation = 0
  }

  add(value: number): void {
    const { sum } = this
    const total = sum + value
    if (total === Infinity || total === -Infinity) this.compensation = 0
    else if (Math.abs(sum) >= Math.abs(value)) this.compensation += sum - total + value
    else this.compensation += value - total + sum
    this.sum = total
  }

  /** The precise value. */
  get value(): number {
    return this.sum + this.compensation
  }
}

/** A running mean: a plain sum as long as that is finite, an incremental mean from then on. */
export class KahanMean {
  readonly #sum = new KahanSum()
  #count = 0
  #incremental = false

  reset(): void {
    this.#sum.reset()
    this.#count = 0
    this.#incremental = false
  }

  add(value: number): void {
    const total = this.#sum
    this.#count++
    if (this.#count === 1) {
      total.reset(value)
      return
    }
    if (!this.#incremental) {
      const { sum, compensation } = total
      total.add(value)
      if (total.sum !== Infinity && total.sum !== -Infinity) return
      this.#incremental = true
      total.sum = sum / (this.#count - 1)
      total.compensation = compensation / (this.#count - 1)
    }
    const share = (this.#count - 1) / this.#count
    total.sum *= share
    total.compensation *= share
    total.add(value / this.#count)
  }

  get value(): number {
    const { sum, compensation } = this.#sum
    return this.#incremental ? sum + compensation : sum / this.#count + compensation / this.#count
  }
}
