/**
 * Why a film is not taken: `code` is stable and compared, `reason` is for people and says what, what was expected, what
 * came and what to do next. A refusal is an expected outcome, never an exception.
 */
export type Refusal = { readonly ok: false; readonly code: string; readonly reason: string }

export function refuse(code: string, reason: string): Refusal {
  return { ok: false, code, reason }
}
