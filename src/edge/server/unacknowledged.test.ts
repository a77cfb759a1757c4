import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { parseUnacknowledged, readUnacknowledged, toPeerKey } from './unacknowledged.ts'

const TABLE = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1
  12: 0100007F:1F90 0200A8C0:C350 01 0003F000:00000010 00:00000000 00000000     0        0 2
   3: 0100007F:1F91 0200A8C0:C350 01 00000001:00000010 00:00000000 00000000     0        0 3
   4: 0000000000000000FFFF00000100007F:1F90 0000000000000000FFFF00000300A8C0:C351 01 00000002:00000000 00:0 0 0 4
   5: 0000000000000000000000000000000001000000:1F90 B80D0120000000000000000001000000:C352 01 00000003:00000000 00:0 0 5
`
const PEERS: readonly (readonly [address: string, port: number, bytes: number | undefined])[] = [
  ['192.168.0.2', 50_000, 0x3f000],
  ['::ffff:192.168.0.2', 50_000, 0x3f000],
  ['192.168.0.3', 50_001, 2],
  ['::ffff:c0a8:3', 50_001, 2],
  ['2001:db8::1', 50_002, 3],
  ['2001:db8:0:0:0:0:0:1', 50_002, 3],
  ['192.168.0.2', 50_001, undefined],
]
test.each(PEERS)('%s port %i', (address, port, bytes) => {
  expect(parseUnacknowledged(TABLE, 8_080).get(toPeerKey(address, port))).toBe(bytes)
})

test('never throws, whatever stands in a table or an address', () => {
  fc.assert(
    fc.property(fc.string(), fc.string(), (table, address) => {
      parseUnacknowledged(table, 80)
      toPeerKey(address, 80)
    }),
    { numRuns: 200 },
  )
})

test("the kernel's own table has what a client left unread", async () => {
  const listener = Bun.listen({
    hostname: '127.0.0.1',
    port: 0,
    socket: { open: (socket) => void socket.write(new Uint8Array(32 * 1024 * 1024)), data() {} },
  })
  const client = await Bun.connect({ hostname: '127.0.0.1', port: listener.port, socket: { data() {}, open() {} } })
  client.pause()
  let bytes: number | undefined
  for (const deadline = Date.now() + 3_000; !bytes && Date.now() < deadline; )
    bytes = (await readUnacknowledged(listener.port))?.get(toPeerKey('127.0.0.1', client.localPort))
  expect(bytes).toBeGreaterThan(0)
  client.terminate()
  listener.stop(true)
})
