import type { RoleStatus } from '../../contracts/index.ts'

/** A process that a fault may strike. */
export type Victim = { readonly role: string; readonly pid: number }

/** `worker-*` means all whose names begin so; any other pattern means that role alone. */
export function matchesRole(pattern: string, role: string): boolean {
  return pattern.endsWith('*') ? role.startsWith(pattern.slice(0, -1)) : role === pattern
}

/** The processes there are of the roles that a pattern means. */
export function victimsOf(pattern: string, roles: readonly RoleStatus[]): Victim[] {
  return roles.flatMap(({ name, pid }) => (pid !== null && matchesRole(pattern, name) ? [{ role: name, pid }] : []))
}

/** Why a pattern can never strike on this platform; null when it can. */
export function whyNobody(pattern: string, roles: readonly RoleStatus[]): string | null {
  if (roles.some(({ name }) => matchesRole(pattern, name))) return null
  return `no role is called ${pattern}; this platform has ${roles.map(({ name }) => name).join(', ')}: name one of those in the scenario`
}
