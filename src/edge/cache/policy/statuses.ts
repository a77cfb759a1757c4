/** Heuristically cacheable: RFC 9110, 15.1, and 451 by RFC 7725, 3. */
const HEURISTIC: ReadonlySet<number> = new Set([200, 203, 204, 206, 300, 301, 308, 404, 405, 410, 414, 451, 501])

/** Statuses whose caching requirements are all met here; what must-understand asks about (RFC 9111, 5.2.2.3). */
const UNDERSTOOD: ReadonlySet<number> = new Set([
  200, 203, 204, 206, 300, 301, 302, 303, 307, 308, 400, 401, 402, 403, 404, 405, 406, 409, 410, 411, 413, 414, 415,
  422, 451, 500, 501, 502, 503, 504, 505,
])

/**
 * Never stored, whatever else is said. By their own text: 304 (it updates what is stored), 428, 429, 431, 511
 * (RFC 6585, 3 to 6), 425 (RFC 8470, 5.2). Because they answer the connection or fields of one request that no cache
 * key holds, and would poison the URI for everybody: 407, 408, 412, 416, 417, 421, 426.
 */
const NEVER_STORED: ReadonlySet<number> = new Set([304, 407, 408, 412, 416, 417, 421, 425, 426, 428, 429, 431, 511])

export function isHeuristicallyCacheable(status: number): boolean {
  return HEURISTIC.has(status)
}

export function isUnderstood(status: number): boolean {
  return UNDERSTOOD.has(status)
}

export function isNeverStored(status: number): boolean {
  return NEVER_STORED.has(status)
}
