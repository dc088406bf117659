/**
 * The Maven project whose runtime dependencies are one Kafka with Connect and MirrorMaker 2.
 * slf4j-simple must be the 1.7 line and the only binding: connect-runtime 3.9 brings slf4j-reload4j, and two bindings
 * mean no log output. reload4j itself stays: Kafka 3.9 does not start without its classes.
 */
export function kafkaPom(version: string): string {
  const dependency = (artifact: string): string => `
    <dependency>
      <groupId>org.apache.kafka</groupId><artifactId>${artifact}</artifactId><version>${version}</version>
      <exclusions>
        <exclusion><groupId>org.slf4j</groupId><artifactId>slf4j-reload4j</artifactId></exclusion>
      </exclusions>
    </dependency>`;
  return `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>pointsman.lab</groupId><artifactId>kafka-jars</artifactId><version>${version}</version><packaging>pom</packaging>
  <dependencies>${['kafka_2.13', 'connect-mirror', 'kafka-tools'].map(dependency).join('')}
    <dependency><groupId>org.slf4j</groupId><artifactId>slf4j-simple</artifactId><version>1.7.36</version></dependency>
    <dependency><groupId>ch.qos.reload4j</groupId><artifactId>reload4j</artifactId><version>1.2.25</version></dependency>
  </dependencies>
</project>
`;
}
