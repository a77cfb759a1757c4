import type { ProbeResult } from '../report/report.ts'

export type Violation = { readonly probe: ProbeResult['id']; readonly atMs: number; readonly what: string }

/** What one probe has to say in the end. */
export type Findings = {
  checked(): void
  /** Told once for each `key`, however often it is seen again. */
  violated(key: string, what: string): void
  /** Why the probe could not do its work, or not to its end; the first reason stays. */
  hindered(why: string): void
  /** `unlessChecked` is the reason when nothing was checked and nobody said why. */
  result(unlessChecked: string): ProbeResult
}

const NAMES: Readonly<Record<ProbeResult['id'], string>> = {
  'listed-plays': 'a listed title plays',
  'signature-needed': 'nothing without a signature',
  'withdrawn-stops': 'a withdrawn title stops within 5 s',
  'resume-exact': 'a viewer resumes where they stopped',
}

export function createFindings(options: {
  probe: ProbeResult['id']
  violationsMax: number
  nowMs: () => number
  onViolation: (violation: Violation) => void
}): Findings {
  const { probe, violationsMax, nowMs, onViolation } = options
  const violations = new Map<string, { atMs: number; what: string }>()
  let checks = 0
  let hindrance: string | null = null
  return {
    checked() {
      checks += 1
    },
    violated(key, what) {
      if (violations.has(key) || violations.size >= violationsMax) return
      const violation = { atMs: Math.round(nowMs()), what }
      violations.set(key, violation)
      onViolation({ probe, ...violation })
    },
    hindered(why) {
      hindrance ??= why
    },
    result: (unlessChecked) => ({
      id: probe,
      name: NAMES[probe],
      checks,
      violations: [...violations.values()],
      notProbed: hindrance ?? (checks === 0 ? unlessChecked : null),
    }),
  }
}
