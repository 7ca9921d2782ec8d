// Occlusion as it is done today, with ONNX Runtime: every occluded image is inferred whole, in batches.
//
//     node naive.mjs JOB.json      prints one JSON object: {version, class, p, seconds}; see Job and Answer in peer.go
import fs from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'

const job = JSON.parse(fs.readFileSync(process.argv[2], 'utf8'))
const load = createRequire(path.join(job.dir, 'package.json'))
const ort = load('onnxruntime-node')

const bytes = fs.readFileSync(job.image)
const image = new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4)
const [channels, height, width] = job.shape
const images = new Float32Array(job.batch * image.length)

// The images of a batch: one for each position, whole where there is none.
function fillBatch (positions) {
  for (let i = 0; i < job.batch; i++) {
    const start = i * image.length
    images.set(image, start)
    if (!positions[i]) continue
    const [left, top] = positions[i]
    for (let c = 0; c < channels; c++) {
      for (let y = top; y < top + job.patch; y++) {
        const row = start + (c * height + y) * width
        images.fill(job.fill[c], row + left, row + left + job.patch)
      }
    }
  }
  return new ort.Tensor('float32', images, [job.batch, channels, height, width])
}

const session = await ort.InferenceSession.create(job.model, {
  intraOpNumThreads: job.threads,
  graphOptimizationLevel: 'all'
})

// The scores of each image of a batch, as probabilities.
async function infer (positions) {
  const result = await session.run({ [session.inputNames[0]]: fillBatch(positions) })
  const scores = result[session.outputNames[0]].data
  const classes = scores.length / job.batch
  return Array.from({ length: job.batch }, (_, i) => {
    const row = Array.from(scores.subarray(i * classes, (i + 1) * classes))
    if (!job.softmax) return row
    const largest = row.reduce((a, b) => Math.max(a, b))
    const powers = row.map(s => Math.exp(s - largest))
    const sum = powers.reduce((a, b) => a + b)
    return powers.map(e => e / sum)
  })
}

const whole = (await infer([]))[0] // warms up as well
const explained = whole.indexOf(Math.max(...whole))
const answer = { version: 'onnxruntime-node ' + load('onnxruntime-node/package.json').version, class: explained, p: [], seconds: [] }
for (let at = 0; at < job.positions.length; at += job.batch) {
  const positions = job.positions.slice(at, at + job.batch)
  const start = performance.now()
  const probabilities = await infer(positions)
  answer.seconds.push((performance.now() - start) / 1000 / job.batch)
  positions.forEach((_, i) => answer.p.push(probabilities[i][explained]))
}
console.log(JSON.stringify(answer))
