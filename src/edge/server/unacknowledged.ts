import { readFile } from 'node:fs/promises'

/**
 * What the kernel holds for clients that have not acknowledged it, bytes, by `toPeerKey`; null where there is no such table.
 * Without it a reader could only be judged by what the kernel takes from us, and that comes in steps of megabytes: one who
 * reads a sound track as it plays takes nothing for a minute, and reads all the time.
 */
export async function readUnacknowledged(localPort: number): Promise<ReadonlyMap<string, number> | null> {
  try {
    const tables = await Promise.all(TABLES.map((path) => readFile(path, 'latin1').catch(() => '')))
    return tables.some((table) => table !== '') ? parseUnacknowledged(tables.join('\n'), localPort) : null
  } catch {
    return null
  }
}

/** Linux, proc(5): of the process's own network namespace. */
const TABLES: readonly string[] = ['/proc/self/net/tcp', '/proc/self/net/tcp6']
const ROW = /^ *\d+: [0-9A-F]+:([0-9A-F]{4}) ([0-9A-F]+):([0-9A-F]{4}) [0-9A-F]{2} ([0-9A-F]{8}):/gm

export function parseUnacknowledged(tables: string, localPort: number): Map<string, number> {
  const bytes = new Map<string, number>()
  for (const [, local = '', address = '', port = '', queued = ''] of tables.matchAll(ROW))
    if (Number.parseInt(local, 16) === localPort)
      bytes.set(`${toPlain(address)}:${Number.parseInt(port, 16)}`, Number.parseInt(queued, 16))
  return bytes
}

/** One form for an address, whether it came from the table or from a socket. */
export function toPeerKey(address: string, port: number): string {
  return `${toPlain(address.includes(':') ? fromIpv6(address) : fromIpv4(address))}:${port}`
}

/** IPv4 mapped into IPv6 is IPv4. The kernel prints words of 32 bits in the machine's order, which is little-endian here. */
const toPlain = (hex: string): string => (hex.startsWith(MAPPED) ? hex.slice(MAPPED.length) : hex)
const MAPPED = '0000000000000000FFFF0000'

const toHex = (bytes: readonly number[]): string =>
  bytes.map((byte) => byte.toString(16).toUpperCase().padStart(2, '0')).join('')

const fromIpv4 = (address: string): string => toHex(address.split('.').map(Number).reverse())

function fromIpv6(address: string): string {
  const dotted = /^(.*:)(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(address)
  const [, before = '', a, b, c, d] = dotted ?? []
  const pair = (high = '', low = ''): string => (Number(high) * 256 + Number(low)).toString(16)
  const plain = dotted ? `${before}${pair(a, b)}:${pair(c, d)}` : address
  const [head = '', tail] = plain.split('::')
  const groups = (part: string): string[] => (part === '' ? [] : part.split(':'))
  const ahead = groups(head)
  const behind = groups(tail ?? '')
  const zeros = Array<string>(Math.max(0, 8 - ahead.length - behind.length)).fill('0')
  const bytes = [...ahead, ...zeros, ...behind].flatMap((group) => {
    const value = Number.parseInt(group, 16)
    return [value >> 8, value & 255]
  })
  return [0, 4, 8, 12].map((start) => toHex(bytes.slice(start, start + 4).reverse())).join('')
}
