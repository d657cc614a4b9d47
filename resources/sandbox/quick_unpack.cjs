// Loaded into npm before it starts (`node --require`): packages are unpacked without a trip through libuv's threads for
// every step of every file. It is the same reader's own synchronous half, so the files, their rights and what is refused
// stay as they were; a package of 5,000 files takes a third of the time. What cannot be written is no warning, as it is
// to plain npm, but the end of the install: else a layer of packages might lack some, for every project. Where npm is
// built differently one day, this finds nothing to change, and npm does as it always did.
'use strict'
const fs = require('node:fs')
const Module = require('node:module')

const load = Module._load
Module._load = function (request, parent, ...rest) {
  const loaded = load.call(this, request, parent, ...rest)
  if (request === 'pacote') return withoutExceptions(loaded)
  const isUnpacker = request === 'tar' && /[\\/]pacote[\\/]/.test(parent?.filename ?? '')
  if (!isUnpacker || !loaded.UnpackSync) return loaded
  return { ...loaded, x: options => stoppedByErrors(new loaded.UnpackSync(options)) }
}

// After a file that could not be written (the disk is full) this half would go on to write into a closed file, without
// an end; npm is told of the first error instead.
function stoppedByErrors(unpacker) {
  unpacker.on('warn', (code, _message, error) => {
    if (code === 'TAR_ENTRY_ERROR' && error?.syscall) unpacker.abort(whyNot(error))
  })
  return unpacker
}

// Where a folder could not be made the reader says that it is not there, which to npm means a spoilt package: it would
// throw it away and fetch it anew.
function whyNot(error) {
  if (error.code !== 'ENOENT' || error.syscall !== 'lstat') return error
  try {
    fs.mkdirSync(error.path)
    return error
  } catch (reason) {
    return reason
  }
}

// npm goes on without a package that is optional, such as the native half of a bundler, and ends well; also where it was
// the disk that failed, under the package or under npm's cache.
function withoutExceptions(pacote) {
  const told = method => (...args) => method(...args).catch(error => {
    if (isOfDisk(error)) failAtTheEnd(error)
    throw error
  })
  const known = ['extract', 'manifest', 'packument'].filter(name => typeof pacote[name] === 'function')
  return { ...pacote, ...Object.fromEntries(known.map(name => [name, told(pacote[name])])) }
}

// A folder that cannot be made in npm's cache goes by other names. What is not there at all is the app's own mistake.
function isOfDisk(error) {
  return /^(ENOSPC|EDQUOT|EFBIG|EROFS|EIO)$/.test(error.code) || (error.path && error.code !== 'ENOENT')
}

let failed = false

function failAtTheEnd(reason) {
  if (failed) return
  failed = true
  // Not earlier: npm sets its own status in a listener that is there by now.
  process.on('exit', () => {
    if (process.exitCode) return
    process.exitCode = 1
    fs.writeSync(process.stderr.fd, `A package could not be written: ${reason.message}\n`)
  })
}
