// Prints the conflict topic: java -cp 'jars/*' Reader.java BROKERS [TOPIC [GROUP]]
//
// Needs org.apache.kafka:kafka-clients with what it depends on (zstd-jni among it), and
// com.fasterxml.jackson.core:jackson-databind.

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.errors.WakeupException;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.StringDeserializer;

public class Reader {
    private static final ObjectMapper JSON = new ObjectMapper();

    public static void main(String[] args) throws Exception {
        String topic = args.length > 1 ? args[1] : "news.conflict.v1";
        Map<String, Object> settings = Map.of(
                "bootstrap.servers", args[0],
                "group.id", args.length > 2 ? args[2] : "java-reader",
                // The default shows what aborted transactions wrote.
                "isolation.level", "read_committed",
                "auto.offset.reset", "earliest",
                "enable.auto.commit", false);
        Thread main = Thread.currentThread();
        try (var consumer = new KafkaConsumer<>(settings, new StringDeserializer(), new ByteArrayDeserializer())) {
            Runtime.getRuntime().addShutdownHook(new Thread(() -> {
                consumer.wakeup();
                try {
                    main.join();
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                }
            }));
            consumer.subscribe(List.of(topic));
            while (true) {
                var records = consumer.poll(Duration.ofSeconds(1));
                for (var record : records) {
                    JsonNode article = JSON.readTree(record.value());
                    // A correction: not about conflict any more, or taken back.
                    boolean relevant = article.path("conflict").path("relevant").asBoolean(false);
                    System.out.println(String.join(" ", header(record, "ce_id"), relevant ? "relevant" : "drop",
                            header(record, "cw_tags"), article.path("title").asText("-")));
                }
                if (!records.isEmpty()) {
                    consumer.commitSync();
                }
            }
        } catch (WakeupException e) {
            // Asked to stop.
        }
    }

    private static String header(ConsumerRecord<?, ?> record, String name) {
        var header = record.headers().lastHeader(name);
        return header == null ? "-" : new String(header.value(), StandardCharsets.UTF_8);
    }
}
