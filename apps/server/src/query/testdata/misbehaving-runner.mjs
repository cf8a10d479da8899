// A runner for tests of the pool: the expression of a task says how it misbehaves. No engine, no database.
const text = (value) => Uint8Array.from(Buffer.from(JSON.stringify(value)))

function bomb(kind) {
  switch (kind) {
    case 'map': {
      const map = new Map()
      for (let i = 0; ; i++) map.set(`key ${i}`, { i })
    }
    case 'array': {
      const array = []
      for (let i = 0; ; i++) array.push({ i })
    }
    case 'string': {
      const parts = []
      for (let part = 'x'.repeat(1 << 20); ; ) parts.push((part + parts.length).split('').join('y'))
    }
    case 'typed': {
      const arrays = []
      for (;;) arrays.push(new Float64Array(1 << 20).fill(arrays.length))
    }
    case 'stack': {
      const down = (n) => down(n + 1) + 1
      return down(0)
    }
    default:
      throw new Error(`unknown bomb ${kind}`)
  }
}

export function createRunner() {
  let served = 0
  return {
    run(task, deadline, cancel) {
      const [what, argument] = task.request.expr.split(' ')
      if (what === 'bomb') bomb(argument)
      if (what === 'throw') throw new Error(argument)
      if (what === 'exit') process.exit(7)
      if (what === 'wait') {
        // Notices a cancellation.
        const end = performance.now() + Number(argument)
        while (performance.now() < end) {
          if (Atomics.load(cancel, 0) !== 0)
            return { answer: { ok: false, kind: 'canceled', message: 'noticed' } }
        }
      }
      if (what === 'deaf') {
        const end = performance.now() + Number(argument)
        while (performance.now() < end);
      }
      served++
      if (task.what === 'vector')
        return {
          answer: {
            ok: true,
            samples: [{ pairs: [], timeMs: task.request.timeMs, value: served }],
            warnings: [],
            infos: [],
          },
        }
      return { answer: { ok: true, body: text({ what, served, left: deadline - performance.now() > 0 }) } }
    },
    close() {},
  }
}
