-- The CDR archive as a table of Athena: python -m infra.local has none of it; run this once in the account's own.
-- Days and accounts are worked out (partition projection), so nothing has to be added as days are closed. A query names
-- its account: WHERE account = 'acc_…' AND day BETWEEN '2026-01-01' AND '2026-01-31'.
CREATE EXTERNAL TABLE IF NOT EXISTS cdr (
  `message_id` string,
  `at_ms` bigint,
  `by` string,
  `source` string,
  `login` string,
  `job` string,
  `client_ref` string,
  `mode` string,
  `category` string,
  `mobile_number` string,
  `message_type` string,
  `flash` boolean,
  `message_length` int,
  `parts` int,
  `text_hash` string,
  `sender` string,
  `country` string,
  `operator` string,
  `gateway` string,
  `route` string,
  `rules` bigint,
  `price_micros` bigint,
  `credit_micros` bigint,
  `refunded_micros` bigint,
  `cost_micros` bigint,
  `status` string,
  `error_code` string,
  `gateway_code` string,
  `description` string,
  `created_ms` bigint,
  `charged_ms` bigint,
  `submitted_ms` bigint,
  `submitted_to` string,
  `done_ms` bigint,
  `handset_ms` bigint,
  `smsc_ids` array<string>
)
PARTITIONED BY (`day` string, `account` string)
ROW FORMAT SERDE 'org.openx.data.jsonserde.JsonSerDe'
LOCATION 's3://chasqui-prod-cdr/cdr/'
TBLPROPERTIES (
  'projection.enabled' = 'true',
  'projection.day.type' = 'date',
  'projection.day.format' = 'yyyy-MM-dd',
  'projection.day.range' = '2026-01-01,NOW',
  'projection.account.type' = 'injected',
  'storage.location.template' = 's3://chasqui-prod-cdr/cdr/day=${day}/account=${account}/'
);
