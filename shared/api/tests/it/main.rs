//! What concerns the API as a whole, through its router.

#[path = "../../src/testing.rs"]
mod testing;

#[tokio::test]
async fn dump() {
    std::fs::write("/tmp/openapi-raw.json", api::openapi_json()).unwrap();
    let app = testing::TestApp::new();
    println!("{}", app.create("x").await);
    println!("{}", app.run("x").await);
    println!("{:?}", app.get("/nope").await.gist());
}
