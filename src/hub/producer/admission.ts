import { Fault, type Limits } from '../../kernel/index.ts'

export type AdmissionLimits = Pick<Limits, 'hubPublishCallsMax' | 'hubPublishBytesMax' | 'hubBusyRetryMs'>

/** One call that was let in. */
export type Admitted = {
  /** Takes room for more bytes. Faults as of `enter`. */
  grow(bytes: number): void
  /** Gives all its room back; to be called once, whatever happened. */
  leave(): void
}

export type Admission = {
  /** Faults: `hub-busy` with `retryAfterMs` in its detail, `payload-too-large` for what can never come in. */
  enter(bytes: number): Admitted
}

/** Bounds what is under way, by turning calls away before anything of them is taken. */
export function createAdmission(limits: AdmissionLimits): Admission {
  let calls = 0
  let bytesTaken = 0

  const take = (bytes: number, own: number): void => {
    if (own + bytes > limits.hubPublishBytesMax)
      throw new Fault(
        'payload-too-large',
        `expected at most ${limits.hubPublishBytesMax} bytes in one call (hubPublishBytesMax), got ${own + bytes}; send them in several`,
        { detail: { bytesMax: limits.hubPublishBytesMax } },
      )
    if (bytesTaken + bytes > limits.hubPublishBytesMax) throw toBusy(limits, `${bytesTaken} bytes`)
    bytesTaken += bytes
  }
  return {
    enter(bytes) {
      if (calls >= limits.hubPublishCallsMax) throw toBusy(limits, `${calls} calls`)
      take(bytes, 0)
      calls += 1
      let own = bytes
      return {
        grow(more) {
          take(more, own)
          own += more
        },
        leave() {
          calls -= 1
          bytesTaken -= own
        },
      }
    },
  }
}

function toBusy({ hubBusyRetryMs: retryAfterMs }: AdmissionLimits, underWay: string): Fault {
  return new Fault(
    'hub-busy',
    `the hub has ${underWay} under way and takes no more; nothing was taken; try again after ${retryAfterMs} ms`,
    { detail: { retryAfterMs } },
  )
}
