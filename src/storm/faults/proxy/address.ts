/** Where a proxy listens, or whom it calls: TCP on this machine or elsewhere, or a Unix socket. */
export type Address = { readonly hostname: string; readonly port: number } | { readonly unix: string }

export function describeAddress(address: Address): string {
  return 'unix' in address ? address.unix : `${address.hostname}:${address.port}`
}
