BEGIN TRANSACTION;
CREATE TABLE failures (
	"key" VARCHAR(64) NOT NULL, 
	kind VARCHAR(32) NOT NULL, 
	message TEXT NOT NULL, 
	detail TEXT NOT NULL, 
	created FLOAT NOT NULL, 
	PRIMARY KEY ("key")
);
INSERT INTO "failures" VALUES('aaaaaaaaaaaaaaaa','run','It broke.','Traceback',1.79582284318505406382e+09);
CREATE TABLE lethe (
	name VARCHAR(32) NOT NULL, 
	value TEXT, 
	PRIMARY KEY (name)
);
INSERT INTO "lethe" VALUES('schema','2');
INSERT INTO "lethe" VALUES('id','dfaf54b1fb0346879100bd8507189adf');
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
INSERT INTO "records" VALUES('0123456789abcdef','d001cc687f7e4fc9806efd1d68dba9da','run','{"seed": 0}','{"metrics": {"healed": 0.5}}','{"torch": "2"}','[{"name": "weights", "path": "01/0123456789abcdef-weights-d2d92d5af2381bce.safetensors", "sha256": "d2d92d5af2381bce0e2d51684dde1fe34088e43d87493a70b3055276a5e15c40", "size": 216}]',1.79582284146573424336e+09);
INSERT INTO "records" VALUES('fedcba9876543210','0464e9303056470088c8ae3b4fcf388a','measured','{"metric": "rmia"}','{"values": [0.25, null]}','{}','[]',1.7958228414736130238e+09);
INSERT INTO "records" VALUES('458ee7c7e8df1dcd','23402ff1ad3f439d8dcee84a11946bc5','run','{"method": {"name": "finetune", "params": {"epochs": 10, "learning_rate": 0.002, "localise": "none", "localise_share": 0.3}, "revision": 2}, "scenario": {"corruption": {"amount": 0.06, "class_a": 1, "class_b": 2, "regularity": 1.0, "target_class": 0, "trigger": {"corner": "bottom-right", "opacity": 1.0, "size": 3, "value": 255}}, "dataset": {"name": "blobs", "params": {"noise": 1.0}}, "discovery": 0.3, "model": {"name": "mlp", "params": {"depth": 3, "width": 64}}, "seed": 3, "training": {"augment": false, "batch_size": 64, "clip": 0.0, "epochs": 120, "final": 0.2, "learning_rate": 0.01, "momentum": 0.9, "optimizer": "adam", "warmup": 0.01, "weight_decay": 0.0}}}','{"device": "cpu", "method": "finetune", "metrics": {"healed": null, "utility": 0.25}, "seconds": 1.0}','{"device": "cpu"}','[]',1.79582284317218756676e+09);
CREATE TABLE runs (
	number INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	"key" VARCHAR(64) NOT NULL, 
	reader VARCHAR(16) NOT NULL, 
	dataset VARCHAR(255), 
	model VARCHAR(255), 
	amount FLOAT, 
	regularity FLOAT, 
	discovery FLOAT, 
	seed INTEGER, 
	setting VARCHAR(16), 
	method VARCHAR(255), 
	spec VARCHAR(16), 
	device VARCHAR(32), 
	told VARCHAR(16), 
	numbers BLOB, 
	UNIQUE ("key")
);
INSERT INTO "runs" VALUES(1,'0123456789abcdef','57f29046e0df14b9',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "runs" VALUES(2,'458ee7c7e8df1dcd','57f29046e0df14b9','blobs','mlp',0.06,1.0,0.3,3,'c8065eee0fc67632','finetune','466198f9bd47d84a','cpu','5c97b2628c586ddb',X'000000000000F87F000000000000D03F');
CREATE INDEX ix_records_kind ON records (kind);
CREATE INDEX runs_by_task ON runs (dataset, seed, regularity, discovery, method);
CREATE INDEX runs_by_dataset ON runs (dataset, number);
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('runs',2);
COMMIT;
