/** @file The same learning rate at every step. */
export interface ConstantSchedule {
  readonly type: 'constant'
  readonly rate: number
}

export const constantRate = ({ rate }: ConstantSchedule): number => rate
