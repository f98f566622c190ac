package android.content;

import android.net.Uri;

public class Intent {
    private final String action;
    private Uri data;

    public Intent(String action) {
        this.action = action;
    }

    public Intent setData(Uri data) {
        this.data = data;
        return this;
    }

    @Override
    public String toString() {
        return action + " " + data;
    }
}
