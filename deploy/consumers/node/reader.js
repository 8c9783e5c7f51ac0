// Prints the conflict topic: node reader.js BROKERS [TOPIC [GROUP]]
//
// Needs `npm install` in this folder: KafkaJS, and fzstd, since the daemon compresses with zstd and
// KafkaJS has no codec for that.
'use strict'

const { CompressionCodecs, CompressionTypes, Kafka, logLevel } = require('kafkajs')
const { decompress } = require('fzstd')

CompressionCodecs[CompressionTypes.ZSTD] = () => ({
  compress: () => Promise.reject(new Error('this program only reads')),
  decompress: async buffer => Buffer.from(decompress(buffer)),
})

const [brokers, topic = 'news.conflict.v1', group = 'kafkajs-reader'] = process.argv.slice(2)
const kafka = new Kafka({ clientId: group, brokers: brokers.split(','), logLevel: logLevel.ERROR })
// KafkaJS reads committed records only, unless readUncommitted is set.
const consumer = kafka.consumer({ groupId: group, readUncommitted: false })

async function main() {
  await consumer.connect()
  await consumer.subscribe({ topics: [topic], fromBeginning: true })
  await consumer.run({
    // The offset is committed after this has returned.
    eachMessage: async ({ message }) => {
      const article = JSON.parse(message.value.toString())
      const header = name => message.headers[name]?.toString() ?? '-'
      // A correction: not about conflict any more, or taken back.
      const relevant = Boolean(article.conflict?.relevant)
      console.log(header('ce_id'), relevant ? 'relevant' : 'drop', header('cw_tags'), article.title)
    },
  })
}

for (const signal of ['SIGTERM', 'SIGINT']) {
  process.once(signal, () => consumer.disconnect().finally(() => process.exit(0)))
}
main().catch(error => {
  console.error(error)
  process.exit(1)
})
