BEGIN TRANSACTION;
CREATE TABLE failures (
	"key" VARCHAR(64) NOT NULL, 
	kind VARCHAR(32) NOT NULL, 
	message TEXT NOT NULL, 
	detail TEXT NOT NULL, 
	created FLOAT NOT NULL, 
	PRIMARY KEY ("key")
);
INSERT INTO "failures" VALUES('aaaaaaaaaaaaaaaa','run','It broke.','Traceback',1.79526255436944842331e+09);
CREATE TABLE lethe (
	name VARCHAR(32) NOT NULL, 
	value TEXT, 
	PRIMARY KEY (name)
);
INSERT INTO "lethe" VALUES('schema','1');
CREATE TABLE records (
	"key" VARCHAR(64) NOT NULL, 
	token VARCHAR(32) NOT NULL, 
	kind VARCHAR(32) NOT NULL, 
	spec TEXT NOT NULL, 
	payload TEXT NOT NULL, 
	environment TEXT NOT NULL, 
	files TEXT NOT NULL, 
	created FLOAT NOT NULL, 
	PRIMARY KEY ("key")
);
INSERT INTO "records" VALUES('0123456789abcdef','6532cc70052e465b96271bbfdea00168','run','{"seed": 0}','{"metrics": {"healed": 0.5}}','{"torch": "2"}','[{"name": "weights", "path": "01/0123456789abcdef-weights-ee06ed4d23d173a0.safetensors", "sha256": "ee06ed4d23d173a0a964ee1de9039dc23f9c4f0d1d7850322a7562d443ed983d", "size": 224}]',1.79526255435302257534e+09);
INSERT INTO "records" VALUES('fedcba9876543210','91036065670240e39b3c6147c8c0245e','measured','{"metric": "rmia"}','{"values": [0.25, null]}','{}','[]',1.79526255435951447494e+09);
CREATE INDEX ix_records_kind ON records (kind);
COMMIT;
